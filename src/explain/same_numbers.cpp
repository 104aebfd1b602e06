#include "src/explain/same_numbers.hpp"

#include <cmath>

#include "kernels/error.hpp"

namespace recombine {

double Rounding::bound() const {
  const double relative = type == DataType::f64 ? 0x1p-53 : type == DataType::f32 ? 0x1p-24 : 0x1p-8;
  return 16 * relative * magnitude;
}

void require_same(std::string_view what, double by_terms, double in_matrix, const Rounding& rounding) {
  require(std::abs(by_terms - in_matrix) <= rounding.bound(),
          "{}: its terms give {}, but the matrix has {}; expected a difference of at most {:.2g}", what, by_terms,
          in_matrix, rounding.bound());
}

void require_same(std::string_view what, const Numbers& by_terms, const Numbers& in_matrix, const Rounding& rounding) {
  require(by_terms.rows == in_matrix.rows && by_terms.cols == in_matrix.cols, "{}: [{},{}]; expected [{},{}]", what,
          by_terms.rows, by_terms.cols, in_matrix.rows, in_matrix.cols);
  for (std::int64_t row = 0; row < by_terms.rows; ++row) {
    for (std::int64_t col = 0; col < by_terms.cols; ++col) {
      require_same(fmt::format("{}, row {}, column {}", what, row + 1, col + 1), by_terms.at(row, col),
                   in_matrix.at(row, col), rounding);
    }
  }
}

}  // namespace recombine
