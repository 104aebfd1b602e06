#pragma once

#include <vector>

#include "src/matmul/problem.hpp"

namespace recombine {

/// The meshes of `np` ranks that --explain shows: that of --mesh; else one whose ranks compute blocks of C, as square
/// as possible, and one that splits k as often as possible (split-K), if there are several ranks.
/// @throws InputError if --mesh does not have `np` ranks, or --schedule does not fit
std::vector<Mesh> explained_meshes(const MatmulCommand& command, int np, const MatmulShape& shape);

}  // namespace recombine
