#include "distributed/dist_matrix.hpp"

#include <algorithm>

#include "kernels/error.hpp"

namespace recombine {

namespace {

int parts_of(const Mesh& mesh, std::optional<Axis> axis) { return axis ? mesh.parts(*axis) : 1; }

bool owns(const Mesh& mesh, const Coord& coord, std::optional<Axis> axis, int part) {
  return !axis || mesh.owner(*axis, part) == coord[*axis];
}

/// Calls visit(row_part, col_part, rows, cols) for the blocks of the rank at `coord`, in the order of the grid.
template <class Visit>
void for_each_block(const Mesh& mesh, const Coord& coord, DistMatrix::Shape shape, const Placement& placement,
                    const Visit& visit) {
  const int inner = parts_of(mesh, placement.rows_then);
  const int row_parts = parts_of(mesh, placement.rows) * inner;
  const int col_parts = parts_of(mesh, placement.cols);
  for (int i = 0; i < row_parts; ++i) {
    if (!owns(mesh, coord, placement.rows, i / inner) || !owns(mesh, coord, placement.rows_then, i % inner)) continue;
    for (int j = 0; j < col_parts; ++j) {
      if (!owns(mesh, coord, placement.cols, j)) continue;
      visit(i, j, DistMatrix::rows_of_part(mesh, shape.rows, placement, i),
            split_range(shape.cols, col_parts, j, placement.col_unit));
    }
  }
}

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::replicated: return "replicated";
    case State::sharded: return "sharded";
    case State::partial: return "partial";
  }
  return "?";
}

bool Placement::cuts_as(const Placement& other) const {
  return rows == other.rows && cols == other.cols && rows_then == other.rows_then && row_unit == other.row_unit &&
         col_unit == other.col_unit;
}

std::string Placement::to_string() const {
  const auto cut = [](std::optional<Axis> axis) { return axis ? recombine::name_of(*axis) : '-'; };
  const auto unit = [](std::int64_t of) { return of > 1 ? fmt::format("{}", of) : ""; };
  std::string text = fmt::format("[{}{}{},{}{}]", cut(rows), unit(row_unit),
                                 rows_then ? std::string(1, cut(rows_then)) : "", cut(cols), unit(col_unit));
  for (const Axis axis : kAxes) {
    if (!cuts(axis)) text += fmt::format(" {}:{}", recombine::name_of(axis), recombine::name_of((*this)[axis]));
  }
  return text;
}

Range DistMatrix::rows_of_part(const Mesh& mesh, std::int64_t rows, const Placement& placement, int row_part) {
  const int inner = parts_of(mesh, placement.rows_then);
  const Range outer = split_range(rows, parts_of(mesh, placement.rows), row_part / inner, placement.row_unit);
  const Range piece = split_range(outer.size(), inner, row_part % inner);
  return {outer.begin + piece.begin, outer.begin + piece.end};
}

std::int64_t DistMatrix::local_size(const Mesh& mesh, const Coord& coord, Shape shape, const Placement& placement) {
  std::int64_t size = 0;
  for_each_block(mesh, coord, shape, placement,
                 [&](int, int, Range rows, Range cols) { size += rows.size() * cols.size(); });
  return size;
}

DistMatrix::DistMatrix(const Mesh& mesh, const Coord& coord, Shape shape, Placement placement, VectorView memory)
    : shape_(shape), placement_(placement) {
  require(
      (!placement.rows || placement.rows != placement.cols) &&
          (!placement.rows_then || (placement.rows_then != placement.rows && placement.rows_then != placement.cols)),
      "{}: the same axis cuts the matrix twice; expected different axes", placement.to_string());
  std::int64_t used = 0;
  for_each_block(mesh, coord, shape, placement, [&](int i, int j, Range rows, Range cols) {
    const std::int64_t size = rows.size() * cols.size();
    require(used + size <= memory.size, "memory of {} elements is too small for the blocks", memory.size);
    blocks_.push_back({i, j, rows, cols, as_matrix(memory.range(used, used + size), rows.size(), cols.size())});
    used += size;
  });
  memory_ = memory.range(0, used);
}

std::vector<Block> DistMatrix::blocks_of(const Mesh& mesh, const Coord& coord, Shape shape,
                                         const Placement& placement) {
  std::vector<Block> blocks;
  for_each_block(mesh, coord, shape, placement, [&](int i, int j, Range rows, Range cols) {
    blocks.push_back({i, j, rows, cols, {}});
  });
  return blocks;
}

const Block* DistMatrix::find(int row_part, int col_part) const {
  for (const Block& block : blocks_) {
    if (block.row_part == row_part && block.col_part == col_part) return &block;
  }
  return nullptr;
}

Range row_shard_of(const Block& block, int parts, int index) { return split_range(block.rows.size(), parts, index); }

std::vector<std::int64_t> row_shard_sizes(std::int64_t rows, std::int64_t cols, int parts) {
  std::vector<std::int64_t> sizes;
  sizes.reserve(static_cast<std::size_t>(parts));
  for (int p = 0; p < parts; ++p) sizes.push_back(split_range(rows, parts, p).size() * cols);
  return sizes;
}

bool in_one_replica(const Placement& placement, const Coord& a, const Coord& b) {
  return std::ranges::all_of(kAxes, [&](Axis axis) {
    return placement.cuts(axis) || placement[axis] == State::sharded || a[axis] == b[axis];
  });
}

std::vector<int> ranks_with_blocks_of(const Mesh& mesh, const Coord& coord, const Placement& placement) {
  std::vector<int> ranks;
  for (int rank = 0; rank < mesh.size(); ++rank) {
    const Coord other = mesh.coord_of(rank);
    const auto agrees = [&](Axis axis) { return !placement.cuts(axis) || other[axis] == coord[axis]; };
    if (std::ranges::all_of(kAxes, agrees)) ranks.push_back(rank);
  }
  return ranks;
}

std::vector<Area> held_areas(const Mesh& mesh, const Coord& coord, DistMatrix::Shape shape,
                             const Placement& placement) {
  std::optional<Axis> sharded;
  for (const Axis axis : kAxes) {
    if (placement.cuts(axis) || placement[axis] != State::sharded) continue;
    require(!sharded, "{}: expected at most one axis that is sharded", placement.to_string());
    sharded = axis;
  }
  std::vector<Area> held;
  for (const Block& block : DistMatrix::blocks_of(mesh, coord, shape, placement)) {
    const Range own =
        sharded ? row_shard_of(block, mesh.parts(*sharded), coord[*sharded]) : Range{0, block.rows.size()};
    held.push_back({{block.rows.begin + own.begin, block.rows.begin + own.end}, block.cols});
  }
  return held;
}

}  // namespace recombine
