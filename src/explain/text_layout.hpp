#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/explain/number_grid.hpp"

namespace recombine {

/// A part of an equation: an operator such as " x ", and the text to the right of it.
struct EquationPart {
  std::string before;
  TextBlock block;
};

/// The parts next to each other, in rows of at most kLineWidth columns. A part does not leave its operator.
std::string equation(std::span<const EquationPart> parts, std::string_view indent);

/// The words in lines of at most `width` columns. Only spaces break a line. A longer word has a line of its own.
TextBlock wrapped(std::string_view words, std::size_t width);

/// The same with `indent` at the beginning of every line.
std::string paragraph(std::string_view words, std::string_view indent);

}  // namespace recombine
