#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "distributed/mesh.hpp"
#include "kernels/matrix.hpp"

namespace recombine {

/// What the ranks along an axis that cuts neither rows nor columns hold of a block.
enum class State {
  replicated,  ///< the same block
  sharded,     ///< disjoint ranges of its rows
  partial,     ///< terms of which the block is the sum
};
std::string_view name_of(State state);

/// How a matrix lies on a mesh.
struct Placement {
  std::optional<Axis> rows;      ///< the axis that cuts the rows; none: not cut
  std::optional<Axis> cols;      ///< the axis that cuts the columns
  std::array<State, 3> state{};  ///< per axis; meaningless for those that cut
  /// Cuts each of the rows' parts once more: the block is Sharded over this axis, by whole rows, and a rank has
  /// memory for its piece only. Operands of `matmul` are at rest in this way.
  std::optional<Axis> rows_then = {};

  State operator[](Axis axis) const { return state[static_cast<std::size_t>(axis)]; }
  State& operator[](Axis axis) { return state[static_cast<std::size_t>(axis)]; }
  bool cuts(Axis axis) const { return rows == axis || cols == axis || rows_then == axis; }
  std::string to_string() const;  ///< "[i,k] j:partial", "[ki,j]"
};

/// Rows and columns of a whole matrix.
struct Area {
  Range rows;
  Range cols;
  bool empty() const { return rows.size() <= 0 || cols.size() <= 0; }
  bool operator==(const Area&) const = default;
};

/// A block that this rank holds: where it lies in the whole matrix, and its elements.
struct Block {
  int row_part = 0;  ///< position in the grid of blocks
  int col_part = 0;
  Range rows;  ///< of the whole matrix
  Range cols;
  MatrixView view;  ///< contiguous
};

/// A matrix cut into blocks over a mesh: what this rank holds of it, 0, 1 or more blocks. Does not own the memory.
class DistMatrix {
 public:
  struct Shape {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
  };

  /// The blocks of rank `coord`, one after the other in `memory`. @pre memory.size >= local_size(...)
  DistMatrix(const Mesh& mesh, const Coord& coord, Shape shape, Placement placement, VectorView memory);

  /// Elements that the rank at `coord` holds.
  static std::int64_t local_size(const Mesh& mesh, const Coord& coord, Shape shape, const Placement& placement);

  /// Where the blocks of the rank at `coord` lie in the whole matrix, in the order of memory(). Their views are empty.
  static std::vector<Block> blocks_of(const Mesh& mesh, const Coord& coord, Shape shape, const Placement& placement);

  std::int64_t rows() const { return shape_.rows; }
  std::int64_t cols() const { return shape_.cols; }
  const Placement& placement() const { return placement_; }
  void set_state(Axis axis, State state) { placement_[axis] = state; }
  const std::vector<Block>& blocks() const { return blocks_; }
  /// Rows of the whole matrix in part `row_part` of the grid: parts of rows_then count fastest.
  static Range rows_of_part(const Mesh& mesh, std::int64_t rows, const Placement& placement, int row_part);

  /// The local block at that place in the grid, or none.
  const Block* find(int row_part, int col_part) const;
  /// All local elements. Blocks lie one after the other.
  VectorView memory() const { return memory_; }

 private:
  Shape shape_;
  Placement placement_;
  VectorView memory_;
  std::vector<Block> blocks_;
};

/// The rows of a block, counted from its first row, that rank `index` of the `parts` along an axis has in the state
/// Sharded.
Range row_shard_of(const Block& block, int parts, int index);
/// The elements of each of these shards, for a block of [rows, cols].
std::vector<std::int64_t> row_shard_sizes(std::int64_t rows, std::int64_t cols, int parts);

/// True if `a` and `b` agree along all axes that replicate the matrix. Of the ranks that hold copies of one part, exactly
/// one is in the replica of a given `b`.
bool in_one_replica(const Placement& placement, const Coord& a, const Coord& b);

/// What the rank at `coord` holds of a matrix, one area per block in the order of DistMatrix::blocks(): the whole
/// block, or its row shard if the placement is Sharded over an axis.
/// @throws Error if it is Sharded over two axes
std::vector<Area> held_areas(const Mesh& mesh, const Coord& coord, DistMatrix::Shape shape, const Placement& placement);

}  // namespace recombine
