#include "src/data/table/choose_target.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include "kernels/error.hpp"
#include "src/data/shown.hpp"
#include "src/data/table/column_content.hpp"
#include "src/data/text/cell.hpp"

namespace recombine {

namespace {

/// A target column, and where it stands.
struct Target {
  const TableFacts& table;
  const std::string& name;
  const ColumnProfile& cells;
  Content content;
};

/// The text of a class for a whole number: as in the file, if that is short and means the same in any file.
std::string class_text(const std::string& value, double number) {
  static constexpr std::size_t kLonger = 2;  // as 1.0
  std::string plain = fmt::format("{:.0f}", number);
  return number_in(value, '.') == number && value.size() <= plain.size() + kLonger ? value : plain;
}

/// The whole numbers of a column, in their order, each in the shortest way that the file writes it: "-1", "1".
std::vector<std::string> number_classes(const Target& target) {
  std::map<double, std::string> texts;
  for (const std::string& value : target.cells.values) {
    const double number = number_in(value, target.table.dialect.decimal).value_or(0);
    std::string& text = texts[number];
    const std::string candidate = class_text(value, number);
    if (text.empty() || candidate.size() < text.size()) text = candidate;
  }
  std::vector<std::string> classes;
  for (auto& [number, text] : texts) classes.push_back(std::move(text));
  return classes;
}

/// The classes of yes and no: False and false are one, which has the first of the spellings as its name.
std::vector<std::string> yes_no_classes(const Target& target) {
  std::map<std::string, std::string> texts;
  for (const std::string& value : target.cells.values) texts.emplace(small_yes_no(value), value);
  std::vector<std::string> classes;
  for (const auto& [word, text] : texts) classes.push_back(text);
  return classes;
}

/// Says which spellings of yes and no became one class.
std::string merged_text(const Target& target, const std::vector<std::string>& classes) {
  if (target.content != Content::yes_no || target.cells.values.size() == classes.size()) return "";
  std::vector<std::string> others;
  std::ranges::copy_if(target.cells.values, std::back_inserter(others),
                       [&](const std::string& value) { return std::ranges::find(classes, value) == classes.end(); });
  return fmt::format("; other spellings count as these: {}", shown_list(others, 10));
}

std::vector<std::string> text_classes(const Target& target) {
  if (target.content == Content::yes_no) return yes_no_classes(target);
  const std::set<std::string>& values = target.cells.values;
  require_input(!target.cells.has_more_values && (target.cells.repeats || values.size() <= 2),
                "{}: target column {} has {}{} different texts in {} rows; expected classes that repeat, or numbers",
                target.table.file, shown(target.name), target.cells.has_more_values ? "more than " : "", values.size(),
                present_in(target.cells));
  return {values.begin(), values.end()};
}

/// True if whole numbers are rather classes than a quantity: few different ones, each several times.
bool are_classes(const Target& target) {
  static constexpr std::size_t kMost = 20, kRows = 5;
  const ColumnProfile& cells = target.cells;
  return cells.whole && !cells.has_more_values && cells.values.size() <= kMost &&
         kRows * number_classes(target).size() <= static_cast<std::size_t>(present_in(cells));
}

/// A hint, if whole numbers that are taken as a quantity may also be classes.
std::string note_numbers(const Target& target) {
  static constexpr std::size_t kMost = 100;
  const ColumnProfile& cells = target.cells;
  if (!cells.whole || cells.has_more_values || cells.values.size() > kMost || !cells.repeats) return "";
  return fmt::format(
      "{}: target column {} has {} different whole numbers: they are predicted as numbers; --loss "
      "cross-entropy takes them as classes",
      target.table.file, shown(target.name), cells.values.size());
}

std::string set_classes(const DataOptions& options, const Target& target, TableSchema& schema) {
  const bool numbers = target.content == Content::numbers;
  if (numbers && options.answers == AnswerKind::automatic && !are_classes(target)) return note_numbers(target);
  const std::string where = fmt::format("{}: target column {}", target.table.file, shown(target.name));
  require_input(!numbers || target.cells.whole,
                "--loss cross-entropy: {} holds numbers that are not whole; expected classes, or --loss mse", where);
  require_input(!numbers || !target.cells.has_more_values,
                "--loss cross-entropy: {} holds more than {} different numbers; expected fewer classes, or --loss mse",
                where, target.cells.values.size());
  schema.classes = numbers ? number_classes(target) : text_classes(target);
  require_input(schema.classes.size() >= 2, "{} has one class, {}, in all rows; expected at least two classes{}", where,
                shown_list(schema.classes), numbers ? ", or --loss mse for numbers" : "");
  return fmt::format("{}: {} classes: {}{}{}", where, schema.classes.size(), shown_list(schema.classes, 10),
                     merged_text(target, schema.classes),
                     numbers && options.answers == AnswerKind::automatic ? "; --loss mse takes them as numbers" : "");
}

}  // namespace

std::string choose_target(const DataOptions& options, const TableFacts& table, const std::vector<std::string>& names,
                          const std::vector<std::size_t>& targets, TableSchema& schema) {
  std::string note;
  for (const std::size_t c : targets) {
    const Target target{table, names[c], table.profile.columns[c], content_of(table, c, names[c])};
    require_input(target.content != Content::nothing,
                  "{}: target column {} has no value in any row; expected numbers or classes", table.file,
                  shown(names[c]));
    schema.targets.push_back({.name = names[c]});
    const bool numbers = target.content == Content::numbers;
    require_input(numbers || options.answers != AnswerKind::numbers,
                  "{}, line {}, column {}: {}; --loss mse expects numbers in the target column", table.file,
                  target.cells.first_text, shown(names[c]), shown(target.cells.first_text_value));
    require_input(targets.size() == 1 || (numbers && options.answers != AnswerKind::classes),
                  "--target: {} has classes in {}; expected one target column with classes, or several with numbers",
                  table.file, shown(names[c]));
    if (targets.size() == 1 && options.answers != AnswerKind::numbers) note = set_classes(options, target, schema);
    if (schema.classes.empty() && target.cells.least == target.cells.most) {
      note = fmt::format("{}: target column {} is {} in every row", table.file, shown(names[c]), target.cells.least);
    }
  }
  return note;
}

}  // namespace recombine
