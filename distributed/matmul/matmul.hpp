#pragma once

#include <array>

#include "distributed/dist_matrix.hpp"
#include "distributed/local_product.hpp"

namespace recombine {

/// The placements of the matrices of C[m,n] = A[m,k] B[k,n]. At rest, each element of an operand is on one rank. The
/// contracted dimension comes first (A is stored as A^T), so a panel of any number of rows is one contiguous range.
///
///     A^T [k,m]   rows cut by k, each part once more by j; columns by i
///     B   [k,n]   rows cut by k, each part once more by i; columns by j
///     C   [m,n]   rows cut by i, columns by j; Partial over k until it is recombined
inline constexpr Placement kPlaceA = {.rows = Axis::k, .cols = Axis::i, .rows_then = Axis::j};
inline constexpr Placement kPlaceB = {.rows = Axis::k, .cols = Axis::j, .rows_then = Axis::i};
inline constexpr Placement kPlaceC = {.rows = Axis::i, .cols = Axis::j};

/// Memory for panels and gathered blocks, kept from one product to the next.
class Workspace {
 public:
  static constexpr std::size_t kSlots = 4;

  /// At least `size` elements. If `slot` must grow, its contents are lost.
  VectorView get(Device& device, std::size_t slot, DataType type, std::int64_t size);

 private:
  std::array<Buffer, kSlots> slots_;
};

/// C = alpha A B + beta C, placed as above. f32, f64, or A and B bf16 with C f32.
struct Matmul {
  const DistMatrix& a;  ///< A^T
  const DistMatrix& b;
  DistMatrix& c;  ///< becomes Partial over k; ranks with k = 0 add beta C, other ranks do not read their C
  double alpha = 1;
  double beta = 0;
  std::int64_t panel = 0;  ///< rows of k in a panel, if the schedule takes panels; 0: all rows of a rank
  Workspace& workspace;
};

/// This rank's sum of the products of a schedule. A term has rows of A^T and of B, both from one range of k.
/// C becomes Partial over k. @throws Error if shapes, placements or types do not fit
LocalProduct begin_product(RankContext& context, const Matmul& call);

/// This rank's only block of a matrix. @throws Error if it has none or several
const Block& only_block(const DistMatrix& matrix);

/// Rows `range` of the whole matrix, in a block that contains them.
MatrixView rows_of(const Block& block, Range range);

/// Each is described in its file.
void multiply_gather(RankContext& context, const Matmul& call);
void multiply_panels(RankContext& context, const Matmul& call);
void multiply_shift(RankContext& context, const Matmul& call);

}  // namespace recombine
