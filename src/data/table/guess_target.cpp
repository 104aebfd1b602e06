#include "src/data/table/guess_target.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "src/data/shown.hpp"
#include "src/data/table/column_content.hpp"
#include "src/program/parse.hpp"

namespace recombine {

namespace {

constexpr std::array<std::string_view, 6> kUsual = {"target", "label", "class", "y", "output", "outcome"};

bool has_usual_name(const std::string& name) {
  return std::ranges::find(kUsual, in_small_letters(name)) != kUsual.end();
}

/// True if a column has no values, or is a number or name of the row. An id that repeats, as that of a class, is none.
bool is_no_answer(const TableFacts& table, std::size_t column, const std::string& name) {
  const bool repeats = table.profile.columns[column].repeats;
  if (table.dialect.has_header && !repeats && may_number_rows(table, column)) return true;
  const std::optional<Useless> why = uselessness(table, column, content_of(table, column, name));
  return why && *why != Useless::one_value;
}

}  // namespace

std::optional<GuessedTarget> guess_target(const TableFacts& table, const std::vector<std::string>& names,
                                          const std::vector<bool>& free) {
  const auto guess = [&](std::size_t c, bool is_last) {
    const std::string column =
        fmt::format(fmt::runtime(is_last ? "the last column, {}," : "column {}"), shown(names[c]));
    return GuessedTarget{c, fmt::format("{}: no --target: {} is the target", table.file, column)};
  };
  std::vector<std::size_t> usual;
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (free[c] && has_usual_name(names[c])) usual.push_back(c);
  }
  if (usual.size() == 1) return guess(usual[0], false);
  bool is_last = true;
  for (std::size_t c = names.size(); c-- > 0;) {
    if (free[c] && !is_no_answer(table, c, names[c])) return guess(c, is_last);
    is_last = is_last && is_blank(table, c);
  }
  return std::nullopt;
}

}  // namespace recombine
