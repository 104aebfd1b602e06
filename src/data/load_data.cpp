#include "src/data/load_data.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include <sys/stat.h>

#include "distributed/io/file_kind.hpp"
#include "kernels/error.hpp"
#include "src/data/arrays/idx.hpp"
#include "src/data/arrays/idx_files.hpp"
#include "src/data/arrays/npy_table.hpp"
#include "src/data/arrays/unnamed_data.hpp"
#include "src/data/synthetic.hpp"
#include "src/data/table/load_table.hpp"
#include "src/program/parse.hpp"

namespace recombine {

namespace {

constexpr const char* kFashionMnist = "/usr/share/datasets/fashion-mnist";

bool is_folder(const std::string& path) {
  std::error_code ignored;  // the name is too long, or its folder cannot be read
  return std::filesystem::is_directory(path, ignored);
}

bool is_synthetic(const DataOptions& options) { return options.data.starts_with("synthetic:"); }

/// The file or folder of --data; "" for synthetic data and standard input.
std::string place_of(const DataOptions& options) {
  if (options.data == "fashion-mnist") return kFashionMnist;
  return is_synthetic(options) || options.data == "-" ? "" : options.data;
}

/// ".CSV" of "Table.CSV" in small letters.
std::string ending_of(const std::string& path) {
  return in_small_letters(std::filesystem::path(path).extension().string());
}

/// A kind of file that is certainly no table of text.
struct OtherKind {
  std::string_view ending, reader;  ///< reader: the function of pandas that reads it
};
constexpr std::array kOtherKinds = {
    OtherKind{".parquet", "read_parquet"}, OtherKind{".feather", "read_feather"}, OtherKind{".arrow", "read_feather"},
    OtherKind{".orc", "read_orc"},         OtherKind{".xlsx", "read_excel"},      OtherKind{".xls", "read_excel"},
    OtherKind{".ods", "read_excel"},       OtherKind{".json", "read_json"},       OtherKind{".jsonl", "read_json"},
    OtherKind{".pkl", "read_pickle"},      OtherKind{".pickle", "read_pickle"},   OtherKind{".h5", "read_hdf"},
    OtherKind{".hdf5", "read_hdf"},        OtherKind{".dta", "read_stata"},       OtherKind{".sav", "read_spss"},
    OtherKind{".sas7bdat", "read_sas"},    OtherKind{".xml", "read_xml"},         OtherKind{".html", "read_html"}};
constexpr std::array<std::string_view, 7> kArchives = {".zip", ".tar", ".tgz", ".7z", ".rar", ".bz2", ".lz4"};

/// Refuses a file by its ending, and says how to make a table of it.
void refuse_other_kind(const std::string& option, const std::string& path) {
  const std::string ending = ending_of(path);
  for (const OtherKind& kind : kOtherKinds) {
    require_input(ending != kind.ending,
                  "--{} {}: is no table of text; expected one: in Python, pandas.{}('{}'{}).to_csv('table.csv', "
                  "index=False) writes it",
                  option, path, kind.reader, path, ending == ".jsonl" ? ", lines=True" : "");
  }
  require_input(std::ranges::find(kArchives, ending) == kArchives.end(),
                "--{} {}: is an archive; expected a table: unpack the archive first", option, path);
  require_input(ending != ".npz",
                "--{} {}: contains several arrays; expected X.npy with --target-data Y.npy: numpy.save() writes them",
                option, path);
  require_input(ending != ".safetensors" && ending != ".onnx" && ending != ".pt",
                "--{} {}: is a model; expected data; --load reads models", option, path);
}

void require_known_kind(const DataOptions& options) {
  const std::string_view kind = kind_at(place_of(options));
  require_input(kind.empty() || kind == kind_of(S_IFREG) || kind == kind_of(S_IFDIR),
                "--data {}: is {}; expected a regular file, such as FILE.csv, or a folder of IDX files", options.data,
                kind);
  require_input(!kind.empty() || is_synthetic(options) || options.data == "-" || options.data == "fashion-mnist" ||
                    is_idx_place(options.data),
                "--data {}: there is no such file or folder; expected a table of text, X.npy, a folder of IDX files, "
                "fashion-mnist, or synthetic:ROWS,IN,OUT",
                options.data);
}

/// True for a table of text: a file, or standard input.
bool is_table(const DataOptions& options) {
  return options.data == "-" || (kind_at(place_of(options)) == kind_of(S_IFREG) && ending_of(options.data) != ".npy");
}

void refuse_table_options(const DataOptions& options) {
  const std::array<std::pair<const char*, const std::string*>, 3> only_tables = {
      {{"target", &options.target}, {"features", &options.features}, {"ignore", &options.ignore}}};
  for (const auto& [option, value] : only_tables) {
    require_input(value->empty(), "--{}: {} has no named columns; expected --{} only with a table of text", option,
                  options.data, option);
  }
  require_input(options.target_data.empty() || kind_at(place_of(options)) == kind_of(S_IFREG),
                "--target-data {}: expected only with --data X.npy; {} has its own labels or targets",
                options.target_data, options.data);
}

DataSet load_unnamed(const DataOptions& options, DataBudget& budget) {
  refuse_table_options(options);
  DataSet set;
  ByDefault by_default = ByDefault::standardized;
  if (is_synthetic(options)) {
    set.data = make_synthetic(options.data, options.seed, budget);
    by_default = ByDefault::as_they_are;
  } else if (kind_at(place_of(options)) == kind_of(S_IFREG)) {
    set = load_npy(options, budget);
  } else {
    require_input(options.data != "fashion-mnist" || is_folder(kFashionMnist),
                  "--data fashion-mnist: there is no folder {}; expected the Debian package dataset-fashion-mnist, "
                  "or another --data",
                  kFashionMnist);
    set = load_idx(place_of(options), options, budget);
  }
  finish_unnamed(options, by_default, set);
  return set;
}

}  // namespace

std::vector<std::string> files_of(const DataOptions& options) {
  const std::string place = place_of(options);
  const bool is_idx = !place.empty() && kind_at(place) != kind_of(S_IFREG) && is_idx_place(place);
  return is_idx ? idx_files(place) : std::vector{place};
}

DataSet load_data(const DataOptions& options) {
  DataBudget budget(options.memory);
  require_known_kind(options);
  if (!is_table(options)) return load_unnamed(options, budget);
  refuse_other_kind("data", options.data);
  require_input(options.target_data.empty(),
                "--target-data {}: expected with --data X.npy; a table of text has --target", options.target_data);
  for (const auto& [option, path] : {std::pair("validation", options.validation), std::pair("test", options.test)}) {
    refuse_other_kind(option, path);
  }
  return load_table(options, budget);
}

}  // namespace recombine
