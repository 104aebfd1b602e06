#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "distributed/mesh.hpp"
#include "kernels/matrix.hpp"

namespace recombine {

/// How the ranks along an axis hold a block, if the axis does not cut the matrix.
enum class State {
  replicated,  ///< the same block
  sharded,     ///< disjoint ranges of its rows
  partial,     ///< terms; the block is their sum
};
std::string_view name_of(State state);

/// How a matrix is distributed over a mesh.
struct Placement {
  std::optional<Axis> rows;      ///< the axis that cuts the rows; none: not cut
  std::optional<Axis> cols;      ///< the axis that cuts the columns
  std::array<State, 3> state{};  ///< per axis; has no meaning for axes that cut the matrix
  /// Cuts each row part a second time: the block is Sharded over this axis by whole rows, and a rank has memory only
  /// for its piece. Operands of `matmul` at rest are distributed in this way.
  std::optional<Axis> rows_then = {};
  /// Parts of the rows begin at multiples of row_unit, parts of the columns at multiples of col_unit. If a part would
  /// be narrower than its unit, or the unit is 1, the sizes of parts differ by at most one (split_range).
  std::int64_t row_unit = 1, col_unit = 1;

  State operator[](Axis axis) const { return state[static_cast<std::size_t>(axis)]; }
  State& operator[](Axis axis) { return state[static_cast<std::size_t>(axis)]; }
  bool cuts(Axis axis) const { return rows == axis || cols == axis || rows_then == axis; }
  /// True if both placements cut every matrix into the same blocks. States may differ.
  bool cuts_as(const Placement& other) const;
  std::string to_string() const;  ///< "[i,k] j:partial", "[ki,j]"; with units of 16: "[j16,k16]"
};

/// A range of rows and columns of the whole matrix.
struct Area {
  Range rows;
  Range cols;
  bool empty() const { return rows.size() <= 0 || cols.size() <= 0; }
  bool operator==(const Area&) const = default;
};

/// A block that this rank holds: its place in the whole matrix, and its elements.
struct Block {
  int row_part = 0;  ///< position in the grid of blocks
  int col_part = 0;
  Range rows;  ///< of the whole matrix
  Range cols;
  MatrixView view;  ///< contiguous
};

/// This rank's blocks of a matrix that is cut over a mesh: 0, 1 or more. Does not own the memory.
class DistMatrix {
 public:
  struct Shape {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
  };

  /// The blocks of the rank at `coord`, one after the other in `memory`. @pre memory.size >= local_size(...)
  DistMatrix(const Mesh& mesh, const Coord& coord, Shape shape, Placement placement, VectorView memory);

  /// Number of elements that the rank at `coord` holds.
  static std::int64_t local_size(const Mesh& mesh, const Coord& coord, Shape shape, const Placement& placement);

  /// The blocks of the rank at `coord`, in the order of memory(), with their places in the whole matrix and
  /// empty views.
  static std::vector<Block> blocks_of(const Mesh& mesh, const Coord& coord, Shape shape, const Placement& placement);

  std::int64_t rows() const { return shape_.rows; }
  std::int64_t cols() const { return shape_.cols; }
  const Placement& placement() const { return placement_; }
  void set_state(Axis axis, State state) { placement_[axis] = state; }
  const std::vector<Block>& blocks() const { return blocks_; }
  /// The rows of the whole matrix in part `row_part` of the grid. Each part of the rows is cut again along rows_then:
  /// row_part = part of the rows * parts along rows_then + part along rows_then.
  static Range rows_of_part(const Mesh& mesh, std::int64_t rows, const Placement& placement, int row_part);

  /// The local block at this position in the grid; null if this rank does not hold it.
  const Block* find(int row_part, int col_part) const;
  /// All local elements. Blocks lie one after the other.
  VectorView memory() const { return memory_; }

 private:
  Shape shape_;
  Placement placement_;
  VectorView memory_;
  std::vector<Block> blocks_;
};

/// The rows of a block that rank `index` of the `parts` ranks along an axis holds in the state Sharded. Row 0 is the
/// block's first row.
Range row_shard_of(const Block& block, int parts, int index);
/// The number of elements of each of these shards, for a block of [rows, cols].
std::vector<std::int64_t> row_shard_sizes(std::int64_t rows, std::int64_t cols, int parts);

/// The copies along Replicated axes form several complete replicas of the matrix. True if the ranks at `a` and `b`
/// belong to the same replica: they have the same coordinates along all axes that replicate the matrix.
bool in_one_replica(const Placement& placement, const Coord& a, const Coord& b);

/// The ranks that have the same blocks as the rank at `coord`, in order, with that rank: those with the same coordinates
/// along all axes that cut the matrix.
std::vector<int> ranks_with_blocks_of(const Mesh& mesh, const Coord& coord, const Placement& placement);

/// The areas of a matrix that the rank at `coord` holds, one per block in the order of DistMatrix::blocks(): the whole
/// block, or its row shard if the placement is Sharded over an axis.
/// @throws Error if the placement is Sharded over two axes
std::vector<Area> held_areas(const Mesh& mesh, const Coord& coord, DistMatrix::Shape shape, const Placement& placement);

}  // namespace recombine
