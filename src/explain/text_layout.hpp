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

/// The parts next to each other, in rows of at most kLineWidth columns. A part does not leave its operator; at the
/// beginning of a row, an operator has no space before it.
std::string equation(std::span<const EquationPart> parts, std::string_view indent);

/// The words in lines of at most `width` columns. Lines end at spaces; only a longer word is broken.
TextBlock wrapped(std::string_view words, std::size_t width);

/// The same with `indent` at the beginning of every line.
std::string paragraph(std::string_view words, std::string_view indent);

/// The lines of `text`, those that are too long broken before an option (--lr 0.1), or else at a space. A word that is
/// longer than a line stays whole.
std::string fitted(std::string_view text);

}  // namespace recombine
