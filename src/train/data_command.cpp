#include "src/train/data_command.hpp"

#include <map>

#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kMostCategories = 100000;

std::optional<char> parse_separator(const std::string& text) {
  static const std::map<std::string, char> kNames = {{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'},
                                                     {"\\t", '\t'},  {"pipe", '|'},      {"space", ' '}};
  if (const auto name = kNames.find(text); name != kNames.end()) return name->second;
  const auto code = text.empty() ? '\0' : static_cast<unsigned char>(text.front());
  const bool separates = (code >= ' ' || code == '\t') && code < 0x7F && std::isalnum(code) == 0 &&
                         std::string_view("\".+-#").find(text.front()) == std::string_view::npos;
  require_input(text.size() == 1 && separates,
                "--separator '{}': expected one character except letters, digits and \" . + - #; or comma, "
                "semicolon, tab, pipe, space",
                text);
  return text.front();
}

Standardize read_standardize(const OptionReader& reader) {
  const bool yes = reader.flag("standardize"), no = reader.flag("no-standardize");
  require_input(!yes || !no, "--standardize, --no-standardize: expected only one of the two");
  return yes ? Standardize::yes : no ? Standardize::no : Standardize::automatic;
}

Header read_header(const OptionReader& reader) {
  const bool yes = reader.flag("header"), no = reader.flag("no-header");
  require_input(!yes || !no, "--header, --no-header: expected only one of the two");
  return yes ? Header::given : no ? Header::none : Header::automatic;
}

}  // namespace

po::options_description data_options() {
  po::options_description group("Data");
  group.add_options()("data", text_option("WHAT", "fashion-mnist"),
                      "fashion-mnist | DIR with IDX files | FILE: a table of text (.csv, .tsv, .txt, .data; also .gz, "
                      ".xz, .zst) | X.npy | - (a table from standard input) | synthetic:ROWS,IN,OUT")(
      "target", text_option("COLUMNS"),
      "table: the column to predict, or several, separated by commas; each by its name or number (1 is the first "
      "column, -1 the last); put a name that contains a comma in \"\"; default: a column named target, label, class, "
      "y, output or outcome, else the last one")("target-data", text_option("Y.npy"), "the targets for --data X.npy")(
      "features", text_option("COLUMNS"), "table: the only columns that are inputs; default: all but --target")(
      "ignore", text_option("COLUMNS"), "table: columns that are not inputs")(
      "separator", text_option("CHAR"),
      "table: what separates the columns: a character, or comma, semicolon, tab, pipe or space; default: it is "
      "detected")("header", po::bool_switch(), "table: the first row names the columns, although it looks like data")(
      "no-header", po::bool_switch(), "table: the first row is data; the columns are called 1, 2, ...")(
      "categories", text_option("N", "64"), "table: the most different texts that an input column may have")(
      "missing", text_option("NAME", "mean"),
      "table: missing inputs: mean | median (a number becomes that of its column in the training rows; missing texts "
      "are a category of their own) | drop (leave the rows out) | error (refuse them)")(
      "standardize", po::bool_switch(),
      "scale inputs, and targets of a regression, to mean 0 and deviation 1 over the training rows; default for tables "
      "and arrays, but not for images")("no-standardize", po::bool_switch(), "leave inputs and targets as they are")(
      "validation", text_option("WHAT"), "rows for the validation loss: a fraction of the training rows, or a file")(
      "test", text_option("WHAT"), "rows for the test scores: a fraction of the rows, or a file");
  return group;
}

DataOptions read_data_options(const OptionReader& reader) {
  DataOptions options{.data = reader.string("data"),
                      .target = reader.string("target"),
                      .target_data = reader.path("target-data"),
                      .features = reader.string("features"),
                      .ignore = reader.string("ignore"),
                      .categories = reader.whole("categories", {.least = 1, .most = kMostCategories}),
                      .standardize = read_standardize(reader),
                      .validation = reader.path("validation"),
                      .test = reader.path("test")};
  if (reader.has("separator")) options.text.separator = parse_separator(reader.string("separator"));
  options.text.header = read_header(reader);
  options.missing = reader.word<Missing>(
      "missing",
      {{"mean", Missing::mean}, {"median", Missing::median}, {"drop", Missing::drop}, {"error", Missing::error}});
  for (const char* const option : {"target", "features", "ignore"}) {
    require_input(!reader.has(option) || !reader.string(option).empty(), "--{} '': expected the names of columns",
                  option);
  }
  return options;
}

}  // namespace recombine
