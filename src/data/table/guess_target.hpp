#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/data/table/table_columns.hpp"

namespace recombine {

/// The column to predict, if the user names none.
struct GuessedTarget {
  std::size_t column;
  std::string note;  ///< a line for the screen that says so
};

/// The only column with a name such as target, label or class. If there is none: the last column that does not number or
/// name the rows.
/// @param names  for messages  @param free  for each column: true if it may be the target
/// @throws InputError as content_of() does
std::optional<GuessedTarget> guess_target(const TableFacts& table, const std::vector<std::string>& names,
                                          const std::vector<bool>& free);

}  // namespace recombine
