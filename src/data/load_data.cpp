#include "src/data/load_data.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <utility>

#include <sys/stat.h>

#include "distributed/io/file_kind.hpp"
#include "kernels/error.hpp"
#include "src/data/idx.hpp"
#include "src/data/load_table.hpp"
#include "src/data/npy_table.hpp"
#include "src/data/synthetic.hpp"
#include "src/data/unnamed_data.hpp"

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
  std::string ending = std::filesystem::path(path).extension().string();
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending;
}

/// A kind of file that is certainly no table of text.
struct OtherKind {
  std::string_view ending, reader;  ///< reader: the function of pandas that reads it, or ""
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
                  "--{} {}: is no table of text; expected one: in Python, pandas.{}('{}').to_csv('table.csv', "
                  "index=False) writes it",
                  option, path, kind.reader, path);
  }
  require_input(std::ranges::find(kArchives, ending) == kArchives.end(),
                "--{} {}: is an archive; expected the table in it: unpack it first", option, path);
  require_input(ending != ".npz",
                "--{} {}: holds several arrays; expected X.npy with --target-data Y.npy: numpy.save() writes them",
                option, path);
  require_input(ending != ".safetensors" && ending != ".onnx" && ending != ".pt",
                "--{} {}: is a model; expected data here, and the model with --load", option, path);
}

void require_known_kind(const DataOptions& options) {
  const std::string_view kind = kind_at(place_of(options));
  require_input(kind.empty() || kind == kind_of(S_IFREG) || kind == kind_of(S_IFDIR),
                "--data {}: is {}; expected a regular file, such as FILE.csv, or a folder of IDX files", options.data,
                kind);
  require_input(!kind.empty() || is_synthetic(options) || options.data == "-" || options.data == "fashion-mnist",
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
}

DataSet load_unnamed(const DataOptions& options, DataBudget& budget) {
  refuse_table_options(options);
  DataSet set;
  ByDefault by_default = ByDefault::as_they_are;
  if (is_synthetic(options)) {
    set.data = make_synthetic(options.data, options.seed, budget);
  } else if (kind_at(place_of(options)) == kind_of(S_IFREG)) {
    set = load_npy(options, budget);
    by_default = ByDefault::standardized;
  } else {
    require_input(options.data != "fashion-mnist" || is_folder(kFashionMnist),
                  "--data fashion-mnist: there is no folder {}; expected the Debian package dataset-fashion-mnist, "
                  "or another --data",
                  kFashionMnist);
    return {load_idx(kFashionMnist, options, budget).data};
  }
  if (source.starts_with("synthetic:")) return {make_synthetic(source, options.seed, budget)};
  if (is_csv(source)) {
    CsvTable csv = load_csv(source, options.target, budget);
    LoadedData data{.name = std::filesystem::path(source).filename().string()};
    data.train = std::move(csv.table);
    return {std::move(data), std::move(csv.inputs)};
  }
  require_input(is_folder(source),
                "--data {}: {}; expected fashion-mnist, a folder of IDX files, FILE.csv or synthetic:ROWS,IN,OUT",
                source, kind.empty() ? "no such folder" : "is a regular file");
  return {load_idx(source, options, budget).data};
}

template <class T>
std::vector<T> rows_of(const std::vector<T>& from, std::int64_t width, const std::vector<std::int64_t>& rows) {
  std::vector<T> to;
  if (from.empty()) return to;
  to.reserve(rows.size() * static_cast<std::size_t>(width));
  for (const std::int64_t row : rows) {
    to.insert(to.end(), from.begin() + row * width, from.begin() + (row + 1) * width);
  }
  return to;
}

LoadedTable select(const LoadedTable& from, const std::vector<std::int64_t>& rows) {
  return {.rows = static_cast<std::int64_t>(rows.size()),
          .inputs = from.inputs,
          .outputs = from.outputs,
          .pixels = rows_of(from.pixels, from.inputs, rows),
          .features = rows_of(from.features, from.inputs, rows),
          .labels = rows_of(from.labels, 1, rows),
          .targets = rows_of(from.targets, from.outputs, rows)};
}

/// Moves a fraction of the training rows to the validation table. The seed alone chooses the rows.
void split_validation(LoadedData& data, const DataOptions& options) {
  const std::string& text = options.validation;
  double share = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  require_input(error == std::errc{} && at == text.data() + text.size() && share > 0 && share < 1,
                "--validation {}: expected a fraction between 0 and 1, such as 0.1{}", text,
                is_csv(options.data) ? ", or FILE.csv" : "");
  const std::int64_t rows = data.train.rows;
  require_input(rows >= 2, "--validation {}: the data have {} row; expected at least 2 to split", text, rows);
  const auto wanted = static_cast<std::int64_t>(std::llround(share * static_cast<double>(rows)));
  const std::int64_t count = std::clamp<std::int64_t>(wanted, 1, rows - 1);
  const Permutation order(rows, options.seed, 0);
  std::vector<std::int64_t> kept;
  std::vector<std::int64_t> held;
  for (std::int64_t p = 0; p < rows; ++p) (p < count ? held : kept).push_back(order(p));
  data.validation = select(data.train, held);
  data.train = select(data.train, kept);
}

void add_validation(Source& source, const DataOptions& options, DataBudget& budget) {
  const std::string& what = options.validation;
  if (what.empty()) return;
  if (!is_csv(what)) return split_validation(source.data, options);
  require_input(is_csv(options.data), "--validation {}: {} is not a CSV file; expected a fraction such as 0.1", what,
                options.data);
  const std::vector<std::string>& names = source.columns;
  CsvTable csv = load_csv(what, options.target, budget);
  require_input(csv.inputs.size() == names.size(), "--validation {}: has {} input columns; expected {}, as {} has",
                what, csv.inputs.size(), names.size(), options.data);
  for (std::size_t c = 0; c < names.size(); ++c) {
    require_input(csv.inputs[c] == names[c],
                  "--validation {}, line 1: input column {} is '{}'; expected '{}', as in {}", what, c + 1,
                  csv.inputs[c], names[c], options.data);
  }
  source.data.validation = std::move(csv.table);
}

/// Calls `visit(column, value)` for every feature, in memory order.
template <class Values, class Visit>
void for_each_feature(Values& features, std::int64_t inputs, const Visit& visit) {
  std::size_t column = 0;
  for (auto& x : features) {
    visit(column, x);
    if (++column == static_cast<std::size_t>(inputs)) column = 0;
  }
}

void standardize_columns(LoadedData& data) {
  const LoadedTable& train = data.train;
  const auto rows = static_cast<double>(train.rows);
  std::vector<double> means(static_cast<std::size_t>(train.inputs)), deviations(means.size());
  for_each_feature(train.features, train.inputs, [&](std::size_t c, float x) { means[c] += x; });
  for (double& mean : means) mean /= rows;
  for_each_feature(train.features, train.inputs, [&](std::size_t c, float x) {
    const double off = x - means[c];
    deviations[c] += off * off;
  });
  for (double& deviation : deviations) {
    deviation = std::sqrt(deviation / rows);
    if (deviation == 0) deviation = 1;
  }
  for (LoadedTable* table : {&data.train, &data.test, &data.validation}) {
    for_each_feature(table->features, train.inputs,
                     [&](std::size_t c, float& x) { x = static_cast<float>((x - means[c]) / deviations[c]); });
  }
}

/// Sets one mean and one deviation for all pixels; the images stay bytes.
void standardize_pixels(LoadedData& data) {
  double sum = 0;
  double squares = 0;
  for (const std::uint8_t pixel : data.train.pixels) {
    sum += pixel;
    squares += static_cast<double>(pixel) * pixel;
  }
  const auto count = static_cast<double>(data.train.pixels.size());
  const double mean = sum / count;
  const double variance = squares / count - mean * mean;
  const double deviation = variance > 1e-9 ? std::sqrt(variance) : 255;  // constant pixels are only centred
  data.input = {static_cast<float>(1 / deviation), static_cast<float>(-mean / deviation)};
}

}  // namespace

std::vector<std::string> files_of(const DataOptions& options) {
  const std::string place = place_of(options);
  return is_folder(place) ? idx_files(place) : std::vector{place};
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
