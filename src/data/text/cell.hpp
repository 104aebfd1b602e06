#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace recombine {

/// What the text of a cell is.
enum class CellKind { missing, number, yes_no, date, text };

/// The kind of a cell without its quotes and the spaces around it. Missing: empty, NA, N/A, NaN, null, none, ? or -, in
/// any case of the letters. Yes_no: true, false, yes or no, in any case.
CellKind kind_of_cell(std::string_view cell, char decimal);

/// The number in a cell: "1.5", "+1.5", "1e-3". None: it is not a finite number, or beyond the range of f32 (numbers
/// near 0 become 0).
std::optional<double> number_in(std::string_view cell, char decimal);

}  // namespace recombine
