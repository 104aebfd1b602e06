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

/// Why a column cannot help to predict; none: it may help.
enum class Useless { nothing, one_value, row_number, different_texts };
std::optional<Useless> uselessness(const TableFacts& table, std::size_t column, Content content);

}  // namespace recombine
