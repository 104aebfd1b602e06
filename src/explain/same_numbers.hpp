#pragma once

#include <string_view>

#include "src/explain/numbers.hpp"

namespace recombine {

/// How exactly a sum can be computed.
struct Rounding {
  DataType type = DataType::f32;  ///< of the elements
  double magnitude = 0;           ///< an upper bound of the sum of the terms' absolute values
  /// The largest difference between two ways to compute the sum: 16 roundings.
  double bound() const;
};

/// For numbers that are shown twice: computed term by term, and as an element of a matrix.
/// @throws Error if they differ by more than rounding
void require_same(std::string_view what, double by_terms, double in_matrix, const Rounding& rounding);

/// The same for every element. @throws Error that names the first one that differs, or a difference in shape
void require_same(std::string_view what, const Numbers& by_terms, const Numbers& in_matrix, const Rounding& rounding);

}  // namespace recombine
