#pragma once

#include <string>
#include <utility>
#include <vector>

#include "distributed/matmul/verify.hpp"

namespace recombine {

using Doubles = std::vector<double>;

double unit_roundoff(DataType type);

/// What a product may lose below the normal numbers, as absolute errors. Rounding is not relative there (Higham,
/// "Accuracy and Stability of Numerical Algorithms", 2nd ed., section 2.1). Instructions for bf16 (VDPBF16PS, AMX) read
/// a subnormal operand as 0 and return 0 for a subnormal sum; libraries for f32 and f64 do not.
struct Underflow {
  double operand = 0;  ///< an operand smaller than this may count as 0
  double sum = 0;      ///< largest loss in each product or sum
  double stored = 0;   ///< largest loss when C is stored
};
Underflow underflow_of(DataType product, DataType stored);

/// `what` with the alpha and beta of rank 0. So all ranks check the same problem, and the check finds a rank that
/// multiplied by other factors.
Verification with_common_factors(Communicator& world, Stream& stream, Verification what);

/// Adds up element by element over all ranks.
void sum_over_ranks(Communicator& world, Stream& stream, Doubles& values);

/// A row of a matrix of any type, as doubles. @throws Error for types that products do not have
void read_row(ConstMatrixView matrix, std::int64_t row, Doubles& to);

/// Calls work(row, first column, values) for each row of each piece.
template <class Work>
void for_each_row(const Pieces& pieces, const Work& work) {
  Doubles values;
  pieces([&](Range rows, Range cols, ConstMatrixView piece) {
    for (std::int64_t r = 0; r < rows.size(); ++r) {
      read_row(piece, r, values);
      work(rows.begin + r, cols.begin, values);
    }
  });
}

/// The indices along i and j of the block of C that contains an element.
std::pair<int, int> block_of(const Verification& what, std::int64_t row, std::int64_t col);

/// The largest errors that a rank has found so far.
class Finding {
 public:
  /// `magnitude` is what the relative error divides by; if it is 0, the relative error ignores this error.
  /// Returns true if error / bound is the largest so far; the caller should then call describe().
  bool add(double error, double bound, double magnitude);
  void describe(std::string text) { text_ = std::move(text); }

  /// The largest errors over all ranks, and the description by the lowest rank whose error exceeds its bound.
  Verdict agree(Communicator& world, Stream& stream) const;

 private:
  double relative_error_ = 0;
  double share_ = 0;  ///< error / bound
  std::string text_;
};

}  // namespace recombine
