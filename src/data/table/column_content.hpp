#pragma once

#include <optional>
#include <string>

#include "src/data/table/table_columns.hpp"

namespace recombine {

enum class Content { nothing, numbers, yes_no, texts };

/// What the cells of a column are. `name` is for messages.
/// @throws InputError that names file, line, column and text: dates; a few texts among numbers; numbers with a decimal
/// comma where a point is expected, or the other way round
Content content_of(const TableFacts& table, std::size_t column, const std::string& name);

/// The two texts of a yes_no column; the first one means 0: {"no", "yes"} or {"false", "true"}.
std::vector<std::string> yes_no_texts(const ColumnProfile& column);

/// true, false, yes and no in lower case; any other text as it is.
std::string small_yes_no(std::string_view text);

/// True if the texts are numbers with characters that this program does not read: 12%, $5, 3 kg, 1,234,567.
bool are_decorated_numbers(const ColumnProfile& column, char decimal);

/// True if a column may be the number of the row: by its name, such as id or index. In a table without a header, the
/// first column may be.
bool may_number_rows(const TableFacts& table, std::size_t column);

/// True if each value of a column of whole numbers is that of the previous row plus 1.
bool counts_rows(const ColumnProfile& column);

/// Why a column cannot help to predict; none: it may help.
/// Row_names: the first column has no name, so its cells name the rows.
enum class Useless { nothing, one_value, row_number, different_texts, row_names };
/// uselessness() does not return row_names.
std::optional<Useless> uselessness(const TableFacts& table, std::size_t column, Content content);

}  // namespace recombine
