#include "src/data/idx.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "kernels/error.hpp"
#include "src/data/unpacked_file.hpp"

namespace recombine {

namespace {

constexpr std::uint32_t kImages = 0x00000803;  // unsigned bytes in three dimensions
constexpr std::uint32_t kLabels = 0x00000801;  // unsigned bytes in one dimension

constexpr const char* kTrainImages = "train-images-idx3-ubyte";
constexpr const char* kTrainLabels = "train-labels-idx1-ubyte";
constexpr const char* kTestImages = "t10k-images-idx3-ubyte";
constexpr const char* kTestLabels = "t10k-labels-idx1-ubyte";
constexpr std::array kSuffixes = {"", ".gz"};

/// An open IDX file after its header, which says how many items follow. Magic number and dimensions are big-endian.
struct Idx {
  UnpackedFile file;
  std::int64_t count = 0;  ///< first dimension
  std::int64_t height = 1;
  std::int64_t width = 1;

  std::int64_t size() const { return count * height * width; }  ///< bytes of the items
};

std::uint32_t big_endian(std::span<const char> bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

[[noreturn]] void refuse_size(const Idx& idx, std::string_view held) {
  throw InputError(fmt::format("{}: holds {} bytes after its header; expected {} items of {} x {} bytes, as it says",
                               idx.file.path(), held, idx.count, idx.height, idx.width));
}

/// Reads the header, and checks its sizes as far as possible before reading more: a wrong size must take no memory.
Idx open_idx(const std::string& path, std::uint32_t magic, const DataBudget& budget) {
  Idx idx{.file = UnpackedFile(path, budget.growth())};
  std::array<char, 16> header{};
  const std::size_t wanted = std::size_t{4} * (1 + (magic & 0xFF));
  const std::size_t got = idx.file.read(std::span(header).first(wanted));
  require_input(got == wanted, "{}: has {} bytes; expected an IDX file, whose header is longer", path, got);
  const auto number = [&](std::size_t i) { return big_endian(std::span(header).subspan(4 * i, 4)); };
  require_input(number(0) == magic, "{}: has magic number {:#010x}; expected {:#010x}, an IDX file of {}", path,
                number(0), magic, magic == kImages ? "images" : "labels");
  idx.count = number(1);
  if (magic == kImages) {
    idx.height = number(2);
    idx.width = number(3);
  }
  require_input(idx.count > 0 && idx.height > 0 && idx.width > 0, "{}: holds no items; expected at least one", path);
  std::int64_t rows = 0, size = 0;
  const bool uncountable =
      __builtin_mul_overflow(idx.count, idx.height, &rows) || __builtin_mul_overflow(rows, idx.width, &size);
  const std::int64_t held = idx.file.file_bytes() - static_cast<std::int64_t>(wanted);
  if (uncountable || (!idx.file.packed() && size != held)) refuse_size(idx, std::to_string(held));
  idx.file.require_allowed(size);
  return idx;
}

/// Appends all items to `to`, each byte as a T. Reads 4 MiB at a time.
template <class T>
void read_items(Idx& idx, std::vector<T>& to) {
  static constexpr std::int64_t kPiece = std::int64_t{4} << 20;
  const std::int64_t size = idx.size();
  to.reserve(static_cast<std::size_t>(size));
  std::vector<char> piece(static_cast<std::size_t>(std::min(size, kPiece)));
  for (std::int64_t done = 0; done < size;) {
    const std::span part = std::span(piece).first(static_cast<std::size_t>(std::min(size - done, kPiece)));
    const std::size_t got = idx.file.read(part);
    done += static_cast<std::int64_t>(got);
    if (got < part.size()) refuse_size(idx, std::to_string(done));
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(part.data());
    to.insert(to.end(), bytes, bytes + got);
  }
  if (idx.file.read(std::span(piece).first(1)) > 0) refuse_size(idx, "more");  // also checks the end of a .gz
}

/// FOLDER/name or FOLDER/name.gz; "" if neither is there.
std::string find_file(const std::string& folder, const std::string& name) {
  for (const char* suffix : kSuffixes) {
    std::string path = folder + "/" + name + suffix;
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return "";
}

struct Images {
  LoadedTable table;
  std::int64_t height, width;
};

Images load_images(const std::string& images_path, const std::string& labels_path, DataBudget& budget) {
  Idx images = open_idx(images_path, kImages, budget);
  Idx labels = open_idx(labels_path, kLabels, budget);
  require_input(images.count == labels.count, "{}: holds {} labels; expected {}, one for each image of {}", labels_path,
                labels.count, images.count, images_path);
  LoadedTable table{.rows = images.count, .inputs = images.height * images.width};
  budget.take_table(images_path, static_cast<double>(images.size()));  // count both files before reading either
  budget.take_table(labels_path, static_cast<double>(labels.size()) * sizeof(std::int32_t));
  read_items(images, table.pixels);
  read_items(labels, table.labels);
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

LoadedData load_idx_folder(const std::string& folder, DataBudget& budget) {
  const auto needed = [&](const char* name) {
    std::string path = find_file(folder, name);
    require_input(!path.empty(), "--data {}: has neither {} nor {}.gz; expected one of them", folder, name, name);
    return path;
  };
  const std::filesystem::path place = std::filesystem::path(folder + "/").lexically_normal().parent_path();
  LoadedData data{.name = place.filename().string(), .input = {.scale = 1.0F / 255}};
  const std::string train_images = needed(kTrainImages);
  Images train = load_images(train_images, needed(kTrainLabels), budget);
  data.train = std::move(train.table);
  data.classes = std::max<std::int64_t>(2, 1 + *std::ranges::max_element(data.train.labels));
  if (find_file(folder, kTestImages).empty() && find_file(folder, kTestLabels).empty()) {
    return data;
  }
  const std::string test_images = needed(kTestImages);
  Images test = load_images(test_images, needed(kTestLabels), budget);
  require_input(test.height == train.height && test.width == train.width,
                "--data {}: test images are {} x {}; expected {} x {}, as the training images", folder, test.height,
                test.width, train.height, train.width);
  data.test = std::move(test.table);
  require_input(*std::ranges::max_element(data.test.labels) < data.classes,
                "--data {}: a test label is {}; expected at most {}, the largest training label", folder,
                *std::ranges::max_element(data.test.labels), data.classes - 1);
  return data;
}

}  // namespace recombine
