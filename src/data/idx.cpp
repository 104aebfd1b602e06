#include "src/data/idx.hpp"

#include <algorithm>
#include <filesystem>

#include "kernels/error.hpp"
#include "src/data/gzip.hpp"

namespace recombine {

namespace {

constexpr std::uint32_t kImages = 0x00000803;  // unsigned bytes in three dimensions
constexpr std::uint32_t kLabels = 0x00000801;  // and in one

/// An IDX file: big-endian magic number and dimensions, then bytes.
struct Idx {
  std::string path;
  std::string bytes;
  std::int64_t count = 0;       ///< first dimension
  std::int64_t item_bytes = 1;  ///< product of the others
  std::size_t data = 0;         ///< where the items begin

  std::uint8_t at(std::int64_t i) const {
    return static_cast<std::uint8_t>(bytes[data + static_cast<std::size_t>(i)]);
  }
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
  for (std::size_t d = 1; d < dimensions; ++d) idx.item_bytes *= big_endian(idx.bytes, 4 + 4 * d);
  const auto held = static_cast<std::int64_t>(idx.bytes.size() - idx.data);
  require_input(idx.count > 0 && idx.item_bytes > 0, "{}: holds no items", path);
  require_input(idx.item_bytes <= (std::int64_t{1} << 30) && held == idx.count * idx.item_bytes,
                "{}: {} items of {} bytes are announced, {} bytes are there", path, idx.count, idx.item_bytes, held);
  return idx;
}

/// FOLDER/name or FOLDER/name.gz; "" if neither is there.
std::string find_file(const std::string& folder, const std::string& name) {
  for (const char* suffix : {"", ".gz"}) {
    const std::string path = folder + "/" + name + suffix;
    if (std::filesystem::exists(path)) return path;
  }
  return "";
}

LoadedTable load_table(const std::string& images_path, const std::string& labels_path) {
  const Idx images = read_idx(images_path, kImages);
  const Idx labels = read_idx(labels_path, kLabels);
  require_input(images.count == labels.count, "{}: {} labels for the {} images of {}", labels_path, labels.count,
                images.count, images_path);
  LoadedTable table{.rows = images.count, .inputs = images.item_bytes};
  table.pixels.assign(images.bytes.begin() + static_cast<std::ptrdiff_t>(images.data), images.bytes.end());
  table.labels.resize(static_cast<std::size_t>(labels.count));
  for (std::int64_t i = 0; i < labels.count; ++i) table.labels[static_cast<std::size_t>(i)] = labels.at(i);
  return table;
}

}  // namespace

LoadedData load_idx_folder(const std::string& folder) {
  const auto needed = [&](const char* name) {
    const std::string path = find_file(folder, name);
    require_input(!path.empty(), "--data {}: has no {} or {}.gz", folder, name, name);
    return path;
  };
  LoadedData data{.name = std::filesystem::path(folder).filename().string(), .input = {.scale = 1.0F / 255}};
  const std::string images = needed("train-images-idx3-ubyte");
  data.train = load_table(images, needed("train-labels-idx1-ubyte"));
  data.classes = std::max<std::int64_t>(2, 1 + *std::ranges::max_element(data.train.labels));
  if (find_file(folder, "t10k-images-idx3-ubyte").empty()) return data;

  data.test = load_table(needed("t10k-images-idx3-ubyte"), needed("t10k-labels-idx1-ubyte"));
  require_input(data.test.inputs == data.train.inputs, "--data {}: test images have {} pixels, training images {}",
                folder, data.test.inputs, data.train.inputs);
  require_input(*std::ranges::max_element(data.test.labels) < data.classes,
                "--data {}: test label {} is none of the {} classes in training", folder,
                *std::ranges::max_element(data.test.labels), data.classes);
  return data;
}

}  // namespace recombine
