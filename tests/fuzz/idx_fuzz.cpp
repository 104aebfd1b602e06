// Input: a first byte, then a file of images, then a file of labels. The first byte selects which files the harness
// compresses, and the size of the images' file, in 1/64 of the input.

#include <filesystem>

#include <unistd.h>

#include "src/data/arrays/idx.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/loaded_array.hpp"

using namespace recombine;

namespace {

/// A folder with links to the two files in memory; the destructor removes it.
struct Folder {
  fuzz::MemoryFile images, labels;
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("fuzz-idx-" + std::to_string(getpid()));

  Folder() {
    std::filesystem::create_directory(path);
    std::filesystem::create_symlink(images.path(), path / "train-images-idx3-ubyte");
    std::filesystem::create_symlink(labels.path(), path / "train-labels-idx1-ubyte");
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const Folder folder;
  const unsigned way = data[0];
  const std::string_view bytes = fuzz::text_of(data + 1, size - 1);
  const std::size_t cut = bytes.size() * (way & 63) / 64;
  const auto packed = [&](std::string_view part, unsigned bit) {
    return (way & bit) != 0 ? fuzz::gzip(part, part.size() / 3 + 1) : std::string(part);
  };
  folder.images.write(packed(bytes.substr(0, cut), 64));
  folder.labels.write(packed(bytes.substr(cut), 128));
  DataBudget budget({.host_bytes = 32 << 20});
  DataSet set;
  if (!fuzz::accepts([&] { set = load_idx(folder.path.string(), {}, budget); })) return 0;
  const LoadedTable& table = set.data.train;
  fuzz::insist_array(set.data);
  fuzz::insist(static_cast<std::int64_t>(table.labels.size()) == table.rows, "labels are missing");
  return 0;
}
