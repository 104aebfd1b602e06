#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/data/row_roles.hpp"
#include "src/data/table/table_columns.hpp"

namespace recombine {

/// A table of text after its first reading.
struct TextTable {
  TextFile text;
  TableFacts facts;
  std::vector<std::string> notes;  ///< what a user should know about how it is written
};

/// Opens a table, finds out how it is written, and reads it once. @throws InputError
TextTable open_table(const std::string& path, const TextOptions& options, DataBudget& budget);

/// Finds the rows to drop: those without a target, and with Missing::drop those without an input. All others are
/// training rows. Reads the table only if its profile has missing values in these columns.
/// @throws InputError if no row is left
std::vector<RowRole> find_dropped_rows(const TextTable& table, const TableColumns& columns, Missing missing);

}  // namespace recombine
