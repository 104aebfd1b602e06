#pragma once

#include <functional>
#include <optional>
#include <string>

#include "distributed/matmul/schedule.hpp"

namespace recombine {

/// Pieces passes the pieces of a matrix that this rank has or can read to a Visitor, one after the other: the rows and
/// columns of each piece, and its elements in the host's memory.
using Visitor = std::function<void(Range rows, Range cols, ConstMatrixView piece)>;
using Pieces = std::function<void(const Visitor& visit)>;

/// The product to check: C = alpha A B + beta C0.
struct Verification {
  MatmulShape shape;
  Mesh mesh{1, 1, 1};  ///< cuts C into the blocks that messages name
  double alpha = 1;
  double beta = 0;
  Pieces a;                         ///< of A^T [k,m]; every element by one rank of the job
  Pieces b;                         ///< of B [k,n], likewise
  Pieces c0;                        ///< of C before, likewise; only if beta != 0
  Pieces c;                         ///< of C [m,n]: rows of a block, with all of the block's columns; copies too
  DataType stored = DataType::f32;  ///< the type to which C's elements were rounded last
};

struct Verdict {
  /// By vectors: the largest, over rows r and blocks j, of |((C - alpha A B - beta C0) x)_r| / (|alpha| |A_r| |B_j|).
  /// By loops: the largest, over elements, of |C - alpha A B - beta C0| / (|alpha| |A| |B| + |beta| |C0|).
  double relative_error = 0;
  double share_of_bound = 0;           ///< the largest error / bound; above 1 it fails
  std::optional<std::string> failure;  ///< one line: block, rank, row, error and bound; the same on all ranks
};

/// Freivalds' check ("Probabilistic machines can use less running time", IFIP 1977), block by block: C x is compared
/// with A (B x) for two random vectors x of +-1, in O(n^2). The probability to miss an error in a row is at most 2^-2.
///
/// The bound is probabilistic too (Higham and Mary, "A new approach to probabilistic rounding error analysis", SISC
/// 2019): with unit roundoff u, rounding errors of an element are below lambda sqrt(k + 1) u |A_r| |B_c|, lambda = 8,
/// and those of a row add up with random signs, so
///
///     |error_r| <= lambda (u sqrt(k + 1) |alpha| |A_r| |B_j| + (u + u_C) |C_r|)
///
/// |B_j| is the Frobenius norm of the block's columns, u_C the unit roundoff of the type in which C is stored. Added to
/// the bound is what underflow may lose (Underflow in verify/finding.hpp): operands that bf16 products take as 0, by
/// their norms, and a fixed amount per product and sum.
Verdict verify_by_vectors(Communicator& world, Stream& stream, const Verification& what);

/// Checks every element by a plain loop in double precision: |error| <= (k + 2) u (|alpha| |A| |B| + |beta| |C0|), plus
/// rounding of the stored C and what underflow may lose. Every rank needs memory for all of A, B and C0.
/// @pre small_enough_for_loops(shape)
Verdict verify_by_loops(Communicator& world, Stream& stream, const Verification& what);
bool small_enough_for_loops(const MatmulShape& shape);

}  // namespace recombine
