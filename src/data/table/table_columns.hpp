#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/data/load_data.hpp"
#include "src/data/text/profile.hpp"

namespace recombine {

/// What is known of a table before its columns are chosen.
struct TableFacts {
  std::string file;  ///< for messages
  Dialect dialect;
  TableProfile profile;
};

/// What becomes of a column of a file.
struct ColumnUse {
  enum class Role { none, input, target } role = Role::none;
  std::size_t place = 0;  ///< in `inputs` or `targets` of the schema
};

/// What becomes of all columns of a file.
struct TableColumns {
  std::vector<ColumnUse> uses;  ///< one for each column of the file
  Answers answers = Answers::present;
  std::vector<std::string> notes = {};
};

/// The names of a table's columns. A column without a name gets one from its place: "column 3".
/// @throws InputError that names the file if two columns have the same name
std::vector<std::string> column_names(const TableFacts& table);

/// The columns that the text of an option names: names or numbers (from 1; -1 is the last), separated by commas; a name
/// that contains a comma is in quotes. Does not count columns at the end that have neither a name nor values.
/// @throws InputError that begins with the option and names the file
std::vector<std::size_t> columns_of_option(const std::string& option, const std::string& text, const TableFacts& table,
                                           const std::vector<std::string>& names);

/// True if the column has no name in the header and no values: a separator at the end of every line makes such a
/// column.
bool is_blank(const TableFacts& table, std::size_t column);

/// The number of cells of a column that are not missing.
std::int64_t present_in(const ColumnProfile& column);

}  // namespace recombine
