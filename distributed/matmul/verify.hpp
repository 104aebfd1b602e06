#pragma once

#include <functional>
#include <optional>
#include <string>

#include "distributed/matmul/schedule.hpp"

namespace recombine {

/// Shows pieces of a matrix that this rank has or can read, one after the other: where each lies, and its elements in
/// the host's memory.
using Visitor = std::function<void(Range rows, Range cols, ConstMatrixView piece)>;
using Pieces = std::function<void(const Visitor& visit)>;

/// What is to be checked: C = alpha A B + beta C0.
struct Verification {
  MatmulShape shape;
  Mesh mesh{1, 1, 1};  ///< its i and j cut C into the blocks that are named
  double alpha = 1;
  double beta = 0;
  Pieces a;                         ///< of A^T [k,m]; every element by one rank of the job
  Pieces b;                         ///< of B [k,n], likewise
  Pieces c0;                        ///< of C before, likewise; only where beta != 0
  Pieces c;                         ///< of C [m,n]: whole rows of blocks, by every rank that has them
  DataType stored = DataType::f32;  ///< what C's elements were rounded to in the end
};

struct Verdict {
  /// Largest over rows r and blocks j of |((C - alpha A B - beta C0) x)_r| / (|A_r| |B_j|): norms, so without unit.
  double relative_error = 0;
  double share_of_bound = 0;           ///< the largest error / bound; above 1 it fails
  std::optional<std::string> failure;  ///< one line: block, rank, row, error and bound; the same on all ranks
};

/// Freivalds' check ("Probabilistic machines can use less running time", IFIP 1977), block by block: C x against
/// A (B x) for random vectors x of +-1, which costs O(n^2) and misses an error in a row at most once in 2^2.
///
/// The bound is probabilistic too (Higham and Mary, "A new approach to probabilistic rounding error analysis", SISC
/// 2019): with unit roundoff u, rounding errors of an element are below lambda sqrt(k + 1) u |A_r| |B_c|, lambda = 8,
/// and those of a row add up with random signs, so |error_r| <= lambda u (sqrt(k + 1) |alpha| |A_r| |B_j| + |C_r|),
/// |B_j| the Frobenius norm of the block's columns. To it comes what may underflow (Underflow in verify/finding.hpp):
/// operands that bf16 products take as 0, by their norms, and a least amount for each product and sum.
Verdict verify_by_vectors(Communicator& world, Stream& stream, const Verification& what);

/// Every element against a plain loop in double precision, |error| <= (k + 2) u (|alpha| |A| |B| + |beta| |C0|) and
/// what may underflow. Every rank holds all of A and B for it. @pre small_enough_for_loops(shape)
Verdict verify_by_loops(Communicator& world, Stream& stream, const Verification& what);
bool small_enough_for_loops(const MatmulShape& shape);

}  // namespace recombine
