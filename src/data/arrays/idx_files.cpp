#include "src/data/arrays/idx_files.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>
#include <regex>
#include <string_view>

#include <fmt/format.h>

#include "kernels/error.hpp"

namespace recombine {

namespace {

namespace fs = std::filesystem;

/// Groups: 1 prefix, 2 train, test or t10k, 3 images or labels, 4 the compression.
const char* const kName =
    "(?:(.+)[-_.])?(train|test|t10k)[-_.](images?|features|vectors|data|labels?)[-_.]idx[^/]*?(\\.gz|\\.xz|\\.zst)?";
constexpr std::array<std::string_view, 4> kPackings = {"", ".gz", ".xz", ".zst"};

bool is_folder(const fs::path& path) {
  std::error_code ignored;  // the name is too long, or its folder cannot be read
  return fs::is_directory(path, ignored);
}

/// The names in a folder, sorted: plain files first. Not those of folders: Kaggle's archive has folders with the files'
/// names.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (!at->is_directory(ignored)) names.push_back(at->path().filename().string());
  }
  const auto packing = [](const std::string& name) {
    const auto* const found = std::ranges::find_if(kPackings.rbegin(), kPackings.rend(), [&](std::string_view ending) {
                                return name.ends_with(ending);
                              }).base();
    return found - kPackings.begin();
  };
  std::ranges::sort(names, [&](const std::string& a, const std::string& b) {
    return std::pair(packing(a), a) < std::pair(packing(b), b);
  });
  return names;
}

std::string& file_for(IdxFiles& files, bool is_train, bool are_labels) {
  if (is_train) return are_labels ? files.train_labels : files.train_images;
  return are_labels ? files.test_labels : files.test_images;
}

std::vector<IdxFiles> data_sets_in(const fs::path& folder) {
  const std::regex pattern(kName, std::regex::icase);
  std::map<std::string, IdxFiles> sets;
  for (const std::string& name : names_in(folder)) {
    std::smatch parts;
    if (!std::regex_match(name, parts, pattern)) continue;
    IdxFiles& files = sets[parts[1]];
    files.prefix = parts[1];
    const auto first_letter = [&](std::size_t part) {
      return std::tolower(static_cast<unsigned char>(*parts[part].first));
    };
    const bool is_train = parts[2].length() == 5;
    std::string& file = file_for(files, is_train, first_letter(3) == 'l');
    if (file.empty()) file = (folder / name).string();
  }
  std::vector<IdxFiles> found;
  for (auto& [prefix, files] : sets) found.push_back(std::move(files));
  return found;
}

fs::path folder_of(const std::string& place) {
  const fs::path parent = fs::path(place).parent_path();
  return parent.empty() ? "." : parent;
}

void require_pair(const std::string& place, const std::string& prefix, const char* part, const std::string& images,
                  const std::string& labels) {
  const std::string start = (prefix.empty() ? "" : prefix + "-") + part;
  require_input(
      !images.empty(),
      "--data {}: has labels, but no images {}-images-idx3-ubyte; expected this file, plain, .gz, .xz or .zst", place,
      start);
  require_input(!labels.empty(),
                "--data {}: has images, but no labels {}-labels-idx1-ubyte; expected this file (or "
                "{}-labels-idx2-int), plain, .gz, .xz or .zst",
                place, start, start);
}

}  // namespace

std::vector<IdxFiles> idx_data_sets(const std::string& place) {
  if (is_folder(place)) return data_sets_in(place);
  const std::string prefix = fs::path(place).filename().string();
  std::vector<IdxFiles> sets;
  if (!prefix.empty()) sets = data_sets_in(folder_of(place));
  std::erase_if(sets, [&](const IdxFiles& files) { return files.prefix != prefix; });
  return sets;
}

bool is_idx_place(const std::string& place) { return is_folder(place) || !idx_data_sets(place).empty(); }

IdxFiles find_idx_files(const std::string& place) {
  const std::vector<IdxFiles> sets = idx_data_sets(place);
  require_input(
      !sets.empty(),
      "--data {}: has no IDX files; expected train-images-idx3-ubyte and train-labels-idx1-ubyte (MNIST), with a "
      "prefix (emnist-letters-train-...) or as train-images.idx3-ubyte (Kaggle), plain, .gz, .xz or .zst",
      place);
  std::vector<std::string> prefixes;
  for (const IdxFiles& files : sets) prefixes.push_back(files.prefix);
  // Files with MNIST's own names come first: no prefix could choose them.
  require_input(sets.size() == 1 || prefixes.front().empty(),
                "--data {}: holds the data sets {}; expected one of them, such as --data {}", place,
                fmt::join(prefixes, ", "), (fs::path(place) / prefixes.front()).string());
  IdxFiles files = sets.front();
  require_input(!files.train_images.empty() || !files.train_labels.empty(),
                "--data {}: has no training images; expected {}train-images-idx3-ubyte, plain, .gz, .xz or .zst", place,
                files.prefix.empty() ? "" : files.prefix + "-");
  require_pair(place, files.prefix, "train", files.train_images, files.train_labels);
  if (!files.test_images.empty() || !files.test_labels.empty()) {
    const std::string& known = files.test_images.empty() ? files.test_labels : files.test_images;
    const bool is_t10k = fs::path(known).filename().string().find("t10k") != std::string::npos;
    require_pair(place, files.prefix, is_t10k ? "t10k" : "test", files.test_images, files.test_labels);
  }
  return files;
}

}  // namespace recombine
