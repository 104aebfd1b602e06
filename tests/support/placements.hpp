#pragma once

#include <optional>
#include <vector>

#include "distributed/dist_matrix.hpp"
#include "distributed/mesh.hpp"

namespace recombine::test {

/// All meshes of `ranks` ranks.
inline std::vector<Mesh> all_meshes(int ranks) {
  std::vector<Mesh> meshes;
  for (int i = 1; i <= ranks; ++i) {
    for (int j = 1; i * j <= ranks; ++j) {
      if (ranks % (i * j) == 0) meshes.emplace_back(i, j, ranks / (i * j));
    }
  }
  return meshes;
}

/// All placements without terms that cut or shard only along axes with more than one rank: every choice of axes for
/// rows, rows_then and cols; over the other axes Replicated, or Sharded over one of them.
inline std::vector<Placement> all_placements(const Mesh& mesh) {
  std::vector<std::optional<Axis>> axes = {std::nullopt};
  for (const Axis axis : kAxes) {
    if (mesh.extent(axis) > 1) axes.emplace_back(axis);
  }
  std::vector<Placement> placements;
  for (const auto& rows : axes) {
    for (const auto& cols : axes) {
      for (const auto& rows_then : axes) {
        if ((rows && (rows == cols || rows == rows_then)) || (cols && cols == rows_then)) continue;
        const Placement placement = {.rows = rows, .cols = cols, .rows_then = rows_then};
        placements.push_back(placement);
        for (const auto& sharded : axes) {
          if (!sharded || placement.cuts(*sharded)) continue;
          placements.push_back(placement);
          placements.back()[*sharded] = State::sharded;
        }
      }
    }
  }
  return placements;
}

}  // namespace recombine::test
