#include "src/data/arrays/idx.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "kernels/error.hpp"
#include "src/data/arrays/array_store.hpp"
#include "src/data/arrays/idx_files.hpp"
#include "src/data/arrays/idx_reader.hpp"
#include "src/data/arrays/whole_classes.hpp"

namespace recombine {

namespace {

/// One table while it is read: the labels are numbers until the classes are known.
struct Images {
  LoadedTable table;
  std::vector<std::int64_t> shape;
  std::vector<std::int32_t> numbers;
  std::string labels_path;
};

IdxReader open_images(const std::string& path, Growth growth) {
  IdxReader images(path, growth);
  require_input(images.shape().size() > 1,
                "{}: has 1 dimension; expected images: at least 2 dimensions, of which the first counts the images",
                path);
  return images;
}

IdxReader open_labels(const std::string& path, Growth growth, const IdxReader& images) {
  IdxReader labels(path, growth);
  require_input(!is_float(labels.element()), "{}: holds floats; expected labels, which are whole numbers", path);
  require_input(labels.shape().size() <= 2, "{}: has {} dimensions; expected 1, of labels, or 2 (QMNIST)", path,
                labels.shape().size());
  require_input(images.rows() == labels.rows(), "{}: holds {} labels; expected {}, one for each image of {}", path,
                labels.rows(), images.rows(), images.path());
  return labels;
}

void read_pixels(IdxReader& images, LoadedTable& table) {
  constexpr std::int64_t kPiece = std::int64_t{4} << 20;
  const std::int64_t size = table.rows * table.inputs;
  table.pixels.reserve(static_cast<std::size_t>(size));  // a damaged file ends before all of it is touched
  for (std::int64_t done = 0; done < size; done += kPiece) {
    const auto n = static_cast<std::size_t>(std::min(kPiece, size - done));
    table.pixels.resize(table.pixels.size() + n);
    images.read(std::span(table.pixels).last(n));
  }
}

void read_features(IdxReader& images, DataBudget& budget, std::vector<std::string>& notes, LoadedTable& table) {
  const auto store = make_array_store(images.path(), table.rows, table.inputs, budget, notes);
  const std::int64_t some = rows_at_once(table.rows, table.inputs);
  std::vector<float> values(static_cast<std::size_t>(some * table.inputs));
  for (std::int64_t first = 0; first < table.rows; first += some) {
    const std::int64_t rows = std::min(some, table.rows - first);
    const std::span<float> part = std::span(values).first(static_cast<std::size_t>(rows * table.inputs));
    images.read(part);
    if (is_float(images.element())) require_finite(images.path(), images.shape(), first * table.inputs, part);
    store->write(first, part);
  }
  table.store = store;
}

/// The first column, and a note if there are more.
void read_labels(IdxReader& labels, std::vector<std::string>& notes, std::vector<std::int32_t>& numbers) {
  const std::int64_t some = rows_at_once(labels.rows(), labels.cols());
  std::vector<double> values;
  for (std::int64_t first = 0; first < labels.rows(); first += some) {
    const std::int64_t rows = std::min(some, labels.rows() - first);
    values.resize(static_cast<std::size_t>(rows * labels.cols()));
    labels.read(std::span(values));
    for (std::int64_t r = 0; r < rows; ++r) {
      numbers.push_back(static_cast<std::int32_t>(values[static_cast<std::size_t>(r * labels.cols())]));
    }
  }
  if (labels.cols() > 1) {
    notes.push_back(fmt::format("{}: the first of {} columns is the label", labels.path(), labels.cols()));
  }
}

Images load_images(const std::string& images_path, const std::string& labels_path, DataBudget& budget,
                   std::vector<std::string>& notes) {
  IdxReader images = open_images(images_path, budget.growth());
  IdxReader labels = open_labels(labels_path, budget.growth(), images);
  Images read{.table = {.rows = images.rows(), .inputs = images.cols()},
              .shape = {images.shape().begin() + 1, images.shape().end()},
              .labels_path = labels_path};
  const bool are_bytes = images.element() == Element::u1;
  // Both files are counted before either is read.
  if (are_bytes)
    budget.take_table(images_path, static_cast<double>(images.rows()) * static_cast<double>(images.cols()));
  budget.take_table(labels_path, static_cast<double>(labels.rows()) * sizeof(std::int32_t));
  are_bytes ? read_pixels(images, read.table) : read_features(images, budget, notes, read.table);
  images.finish();
  read_labels(labels, notes, read.numbers);
  labels.finish();
  return read;
}

WholeClasses classes_of(const Images& train, const DataOptions& options) {
  if (options.schema) return WholeClasses(options.schema->classes);
  const std::set<std::int64_t> numbers(train.numbers.begin(), train.numbers.end());
  require_input(numbers.size() > 1, "{}: all labels are {}; expected at least two classes", train.labels_path,
                *numbers.begin());
  return WholeClasses(numbers);
}

LoadedTable with_labels(Images images, const WholeClasses& classes, const char* expected) {
  images.table.labels.reserve(images.numbers.size());
  for (const std::int32_t number : images.numbers) {
    const auto label = classes.class_of(number);
    require_input(label.has_value(), "{}: a label is {}; expected {}", images.labels_path, number, expected);
    images.table.labels.push_back(*label);
  }
  return std::move(images.table);
}

}  // namespace

std::vector<std::string> idx_files(const std::string& place) {
  std::vector<std::string> paths;
  for (const IdxFiles& files : idx_data_sets(place)) {
    for (const std::string& path : {files.train_images, files.train_labels, files.test_images, files.test_labels}) {
      if (!path.empty()) paths.push_back(path);
    }
  }
  return paths.empty() ? std::vector{place} : paths;
}

DataSet load_idx(const std::string& place, const DataOptions& options, DataBudget& budget) {
  const IdxFiles files = find_idx_files(place);
  const std::filesystem::path folder = std::filesystem::absolute(place + "/").lexically_normal().parent_path();
  DataSet set;
  set.data.name = folder.filename().string();
  Images train = load_images(files.train_images, files.train_labels, budget, set.notes);
  const std::vector<std::int64_t> shape = train.shape;
  const bool are_bytes = train.table.store == nullptr;
  if (are_bytes) set.data.input = {.scale = 1.0F / 255};
  const WholeClasses classes = classes_of(train, options);
  const char* const of_model = "a class of the model";
  set.data.train = with_labels(std::move(train), classes, of_model);
  set.schema.classes = classes.names();
  set.data.classes = static_cast<std::int64_t>(classes.names().size());
  if (files.test_images.empty()) return set;
  Images test = load_images(files.test_images, files.test_labels, budget, set.notes);
  require_input(test.shape == shape, "--data {}: test images are {}; expected {}, as the training images", place,
                fmt::join(test.shape, " x "), fmt::join(shape, " x "));
  require_input((test.table.store == nullptr) == are_bytes,
                "--data {}: training or test images are bytes, the others are not; expected one type", place);
  set.data.test = with_labels(std::move(test), classes, options.schema ? of_model : "one of the training labels");
  return set;
}

}  // namespace recombine
