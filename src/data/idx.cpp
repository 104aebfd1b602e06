#include "src/data/idx.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "kernels/error.hpp"
#include "src/data/gzip.hpp"

namespace recombine {

namespace {

constexpr std::uint32_t kImages = 0x00000803;  // unsigned bytes in three dimensions
constexpr std::uint32_t kLabels = 0x00000801;  // and in one

constexpr const char* kTrainImages = "train-images-idx3-ubyte";
constexpr const char* kTrainLabels = "train-labels-idx1-ubyte";
constexpr const char* kTestImages = "t10k-images-idx3-ubyte";
constexpr const char* kTestLabels = "t10k-labels-idx1-ubyte";
constexpr std::array kSuffixes = {"", ".gz"};

/// An IDX file: big-endian magic number and dimensions, then bytes.
struct Idx {
  std::string path;
  std::string bytes;
  std::int64_t count = 0;  ///< first dimension
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::size_t data = 0;  ///< where the items begin

  std::uint8_t at(std::int64_t i) const { return static_cast<std::uint8_t>(bytes[data + static_cast<std::size_t>(i)]); }
};

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

Idx read_idx(const std::string& path, std::uint32_t magic) {
  Idx idx{.path = path, .bytes = read_file(path)};
  const std::size_t dimensions = magic & 0xFF;
  idx.data = 4 * (1 + dimensions);
  require_input(idx.bytes.size() >= idx.data, "{}: {} bytes are too few for an IDX file", path, idx.bytes.size());
  const std::uint32_t found = big_endian(idx.bytes, 0);
  require_input(found == magic, "{}: magic number {:#010x}, not {:#010x}: no IDX file of {}", path, found, magic,
                magic == kImages ? "images" : "labels");
  idx.count = big_endian(idx.bytes, 4);
  if (dimensions == 3) {
    idx.height = big_endian(idx.bytes, 8);
    idx.width = big_endian(idx.bytes, 12);
  }
  const auto held = static_cast<std::int64_t>(idx.bytes.size() - idx.data);
  require_input(idx.count > 0 && idx.height > 0 && idx.width > 0, "{}: holds no items", path);
  // By division: three sizes of 32 bits may have no product of 64.
  const std::int64_t rows_of_pixels = idx.count * (idx.height <= held ? idx.height : 0);
  require_input(rows_of_pixels > 0 && held % rows_of_pixels == 0 && held / rows_of_pixels == idx.width,
                "{}: {} items of {} x {} bytes are announced, {} bytes are there", path, idx.count, idx.height,
                idx.width, held);
  return idx;
}

/// FOLDER/name or FOLDER/name.gz; "" if neither is there.
std::string find_file(const std::string& folder, const std::string& name) {
  for (const char* suffix : kSuffixes) {
    const std::string path = folder + "/" + name + suffix;
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return "";
}

struct Images {
  LoadedTable table;
  std::int64_t height, width;
};

Images load_images(const std::string& images_path, const std::string& labels_path) {
  const Idx images = read_idx(images_path, kImages);
  const Idx labels = read_idx(labels_path, kLabels);
  require_input(images.count == labels.count, "{}: {} labels for the {} images of {}", labels_path, labels.count,
                images.count, images_path);
  LoadedTable table{.rows = images.count, .inputs = images.height * images.width};
  table.pixels.assign(images.bytes.begin() + static_cast<std::ptrdiff_t>(images.data), images.bytes.end());
  table.labels.resize(static_cast<std::size_t>(labels.count));
  for (std::int64_t i = 0; i < labels.count; ++i) table.labels[static_cast<std::size_t>(i)] = labels.at(i);
  return {std::move(table), images.height, images.width};
}

}  // namespace

std::vector<std::string> idx_files(const std::string& folder) {
  std::vector<std::string> paths;
  for (const char* name : {kTrainImages, kTrainLabels, kTestImages, kTestLabels}) {
    for (const char* suffix : kSuffixes) paths.push_back(folder + "/" + name + suffix);
  }
  return paths;
}

LoadedData load_idx_folder(const std::string& folder) {
  const auto needed = [&](const char* name) {
    const std::string path = find_file(folder, name);
    require_input(!path.empty(), "--data {}: has no {} or {}.gz", folder, name, name);
    return path;
  };
  const std::filesystem::path place = std::filesystem::path(folder + "/").lexically_normal().parent_path();
  LoadedData data{.name = place.filename().string(), .input = {.scale = 1.0F / 255}};
  const std::string train_images = needed(kTrainImages);
  Images train = load_images(train_images, needed(kTrainLabels));
  data.train = std::move(train.table);
  data.classes = std::max<std::int64_t>(2, 1 + *std::ranges::max_element(data.train.labels));
  if (find_file(folder, kTestImages).empty() && find_file(folder, kTestLabels).empty()) {
    return data;
  }
  const std::string test_images = needed(kTestImages);
  Images test = load_images(test_images, needed(kTestLabels));
  require_input(test.height == train.height && test.width == train.width,
                "--data {}: test images are {} x {}, training images {} x {}", folder, test.height, test.width,
                train.height, train.width);
  data.test = std::move(test.table);
  require_input(*std::ranges::max_element(data.test.labels) < data.classes,
                "--data {}: test label {} is none of the {} classes in training", folder,
                *std::ranges::max_element(data.test.labels), data.classes);
  return data;
}

}  // namespace recombine
