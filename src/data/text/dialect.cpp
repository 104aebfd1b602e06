#include "src/data/text/dialect.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "kernels/error.hpp"
#include "src/data/text/cell.hpp"
#include "src/data/text/sample.hpp"

namespace recombine {

namespace {

constexpr std::size_t kHead = std::size_t{1} << 20;
constexpr double kMostAgree = 0.9;  // of the rows have the same number of words: spaces may separate columns

/// How a note speaks of a separator.
std::string spoken(char separator) {
  if (separator == '\t') return "a tab separates";
  if (separator == ' ') return "spaces separate";
  return fmt::format("'{}' separates", separator);
}

/// Where the table begins, after a byte order mark, the line "sep=;", blank lines and comment lines.
struct Beginning {
  std::int64_t byte = 0, line = 1;
  std::string comment;            ///< the last comment line, without #
  std::optional<char> separator;  ///< that the first line names
};

bool may_separate(char separator) {
  const auto c = static_cast<unsigned char>(separator);
  const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
  return !letter && (c >= ' ' || c == '\t') && c != '"' && c != '.' && c != '-' && c != '+' && c != 0x7F;
}

/// The separator in a line such as "sep=;", which tells Excel the separator.
std::optional<char> named_separator(std::string_view line) {
  static constexpr std::string_view kName = "sep=";
  if (line.size() > 2 && line.starts_with('"') && line.ends_with('"')) line = line.substr(1, line.size() - 2);
  const auto same = [](char letter, char small) { return letter == small || letter + ('a' - 'A') == small; };
  if (!std::ranges::equal(line.substr(0, kName.size()), kName, same)) return std::nullopt;
  std::string_view name = line.substr(kName.size());
  if (name == "\\t") return '\t';
  if (name.size() > 1) name = without_blanks(name);
  return name.size() == 1 && may_separate(name[0]) ? std::optional(name[0]) : std::nullopt;
}

/// True if the line begins with #, but not with a missing value such as #N/A.
bool is_comment(std::string_view line) {
  const std::string_view cell = line.substr(0, line.find_first_of(",;\t|"));
  return line.starts_with('#') && kind_of_cell(cell, '.') != CellKind::missing;
}

Beginning skip_comments(std::string_view head) {
  static constexpr std::string_view kMark = "\xEF\xBB\xBF";
  Beginning begin;
  std::size_t at = 0;
  while (head.substr(at).starts_with(kMark)) at += kMark.size();  // two, if a program adds one to another's
  while (at < head.size()) {
    const std::size_t end = std::min(head.find_first_of("\r\n", at), head.size());
    const std::string_view line = head.substr(at, end - at);
    const bool comment = is_comment(line);
    if (begin.line == 1) begin.separator = named_separator(line);
    if (!comment && !(begin.line == 1 && begin.separator) && !without_blanks(line).empty()) break;
    if (comment) begin.comment = line.substr(1);
    at = std::min(end + (head.substr(end).starts_with("\r\n") ? 2 : 1), head.size());
    ++begin.line;
  }
  begin.byte = static_cast<std::int64_t>(at);
  return begin;
}

void require_separator(char separator) {
  require_input(
      may_separate(separator),
      "--separator: expected comma, semicolon, tab, pipe, space or a character such as :, but no letter, digit, "
      "quote, point or sign");
}

/// The separator that fits best: of four; or spaces, if most of what they separate is numbers.
struct Separated {
  char separator = ',';
  Sample sample;
};

Separated separate(const TextFile& text, const Beginning& begin) {
  static constexpr std::array kSeparators = {',', '\t', ';', '|'};
  static constexpr double kLeast = 0.5;  // of the rows have the same number of cells
  Separated best;
  double best_score = 0;
  std::optional<InputError> error;
  for (const char separator : kSeparators) {
    try {
      Sample sample = read_sample(text, separator, begin.byte, begin.line);
      const Fit fit = fit_of(sample, separator);
      const double score = fit.cells > 1 && fit.agreeing >= kLeast ? fit.agreeing + fit.plain / 2 : 0;
      if (!best.sample.rows.empty() && score <= best_score) continue;
      best = {separator, std::move(sample)};
      best_score = score;
    } catch (const InputError& refused) {  // a quote at the beginning of what is no cell
      if (!error) error = refused;
    }
  }
  if (best_score == 0 && error) throw *error;
  if (best_score > 0) return best;
  Sample words = read_sample(text, ' ', begin.byte, begin.line);
  const Fit fit = fit_of(words, ' ');
  const bool numbers = fit.cells > 1 && fit.agreeing >= kMostAgree && fit.plain >= kLeast;
  return numbers ? Separated{' ', std::move(words)} : std::move(best);
}

/// True if every row from `first` on has one cell more than `columns`, and it is empty.
bool end_empty(const Sample& sample, std::size_t columns, std::size_t first) {
  bool any = false;
  for (std::size_t r = first; r < sample.rows.size(); ++r) {
    const std::vector<std::string>& row = sample.rows[r];
    if (row.size() != columns + 1 || !row.back().empty()) return false;
    any = true;
  }
  return any;
}

/// R's write.table writes nothing above the names of the rows: its header has one cell less than every row. Adds the
/// cell.
void complete_header(Sample& sample, char decimal, Header header) {
  std::vector<std::string>& first = sample.rows[0];
  const bool one_less = std::all_of(sample.rows.begin() + 1, sample.rows.end(),
                                    [&](const auto& row) { return row.size() == first.size() + 1; });
  if (first.size() < 2 || sample.rows.size() < 2 || !one_less || end_empty(sample, first.size(), 1)) return;
  first.emplace(first.begin());
  if (header == Header::automatic && !has_header(sample, decimal)) first.erase(first.begin());
}

void require_different(const TextFile& text, std::int64_t line, const std::vector<std::string>& names) {
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : names) {
    require_input(name.empty() || seen.insert(name).second,
                  "{}, line {}: column '{}' appears twice; expected different names", text.name(), line, name);
  }
}

std::vector<std::string> names_of(const std::vector<std::string>& cells, Encoding encoding) {
  std::vector<std::string> names;
  for (const std::string& cell : cells) names.push_back(utf8(without_blanks(cell), encoding));
  return names;
}

/// The names in the last comment line ("# a,b,y"), if it has one for each column.
std::vector<std::string> names_in_comment(const std::string& comment, char separator, std::size_t columns) {
  std::vector<std::string> names(1);
  for (const char c : comment) {
    if (c == separator) {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  std::unordered_set<std::string_view> seen;
  for (std::string& name : names) {
    name = without_blanks(name);
    const bool fits = !name.empty() && kind_of_cell(name, '.') != CellKind::number && seen.insert(name).second;
    if (!fits) return {};
  }
  return columns > 1 && names.size() == columns ? names : std::vector<std::string>{};
}

void read_header(const TextFile& text, const Sample& sample, Dialect& dialect) {
  dialect.names = names_of(sample.rows[0], dialect.encoding);
  dialect.first_byte = sample.second_byte;
  dialect.first_line = sample.second_line;
  const std::size_t columns = dialect.names.size(), cells = fit_of(sample, dialect.separator).cells;
  require_input(
      columns > 1 || cells < 3,
      "{}, line {}: has one value, but most rows have {}; expected a header with a name for each column, or # "
      "before a comment",
      text.name(), sample.first_line, cells);
  if (end_empty(sample, columns, 1)) {
    dialect.empty_last = true;
  } else if (columns > 1 && dialect.names.back().empty() && end_empty(sample, columns - 1, 1)) {
    dialect.empty_last = true;
    dialect.names.pop_back();
  }
  require_different(text, sample.first_line, dialect.names);
}

void number_columns(const TextFile& text, const Sample& sample, const Beginning& begin, Dialect& dialect) {
  std::size_t columns = fit_of(sample, dialect.separator).cells;
  if (columns > 1 && end_empty(sample, columns - 1, 0)) {
    dialect.empty_last = true;
    --columns;
  }
  dialect.first_byte = begin.byte;
  dialect.first_line = begin.line;
  dialect.names = names_in_comment(utf8(begin.comment, dialect.encoding), dialect.separator, columns);
  dialect.has_header = !dialect.names.empty();
  if (dialect.has_header) return;
  for (std::size_t c = 1; c <= columns; ++c) dialect.names.push_back(std::to_string(c));
  const bool may_be_names = std::ranges::all_of(
      sample.rows[0], [&](const std::string& cell) { return number_in(cell, dialect.decimal).has_value(); });
  dialect.notes.push_back(fmt::format("{}: has no header line; its columns are 1 to {}{}", text.name(), columns,
                                      may_be_names ? "; --header takes its first row as their names" : ""));
}

/// A table of one column whose rows have the same number of words may be separated by spaces.
void note_spaces(const TextFile& text, const Beginning& begin, Dialect& dialect) {
  const Fit fit = fit_of(read_sample(text, ' ', begin.byte, begin.line), ' ');
  if (fit.cells < 2 || fit.agreeing < kMostAgree) return;
  dialect.notes.push_back(
      fmt::format("{}: is read as one column; if spaces separate columns, add --separator space", text.name()));
}

}  // namespace

std::string latin1_note(const TextFile& text, std::int64_t line) {
  return fmt::format("{}: line {} is not UTF-8; the text is read as Latin-1 (Windows-1252)", text.name(), line);
}

Dialect find_dialect(const TextFile& text, const TextOptions& options) {
  std::string head(kHead, '\0');
  head.resize(text.read(0, head));
  const Beginning begin = skip_comments(head);
  const std::size_t valid = utf8_prefix(head);
  Separated found;
  if (options.separator) require_separator(*options.separator);
  if (const std::optional<char> given = options.separator ? options.separator : begin.separator) {
    found = {*given, read_sample(text, *given, begin.byte, begin.line)};
  } else {
    found = separate(text, begin);
  }
  const Sample& sample = found.sample;
  require_input(!sample.rows.empty(), "{}: holds no rows; expected a table", text.name());
  Dialect dialect{.separator = found.separator, .decimal = decimal_of(sample, found.separator)};
  if (options.header != Header::none) complete_header(found.sample, dialect.decimal, options.header);
  if (valid < head.size()) {
    const std::string_view before = std::string_view(head).substr(0, valid);
    dialect.encoding = Encoding::latin1;
    dialect.notes.push_back(latin1_note(text, 1 + std::ranges::count(before, '\n')));
  }
  if (!options.separator && dialect.separator != ',') {
    dialect.notes.push_back(fmt::format("{}: {} the columns", text.name(), spoken(dialect.separator)));
  }
  if (dialect.decimal == ',') dialect.notes.push_back(fmt::format("{}: ',' is the decimal sign", text.name()));
  const bool found_header = options.header == Header::automatic && has_header(sample, dialect.decimal);
  if (options.header == Header::given || found_header) {
    read_header(text, sample, dialect);
    require_input(sample.rows.size() > 1, "{}: has no row after its header line; expected at least one", text.name());
  } else {
    number_columns(text, sample, begin, dialect);
  }
  if (!options.separator && dialect.names.size() == 1) note_spaces(text, begin, dialect);
  return dialect;
}

}  // namespace recombine
