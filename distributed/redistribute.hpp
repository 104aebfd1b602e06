#pragma once

#include "distributed/communicator.hpp"
#include "distributed/dist_matrix.hpp"
#include "distributed/rank_context.hpp"

namespace recombine {

/// Copies a matrix into another placement on the same mesh. Each rank receives the parts of its blocks in `to` from
/// ranks that hold them in `from`. If several ranks hold a part (Replicated axes), the holder with the receiver's
/// coordinates along these axes sends it. So a rank that has a part copies it itself, and all holders send about
/// equally much. One exchange; the compute stream waits for it. In a Sharded block, only the rank's own rows are read
/// or written.
///
///     mesh 2x2x1, from [i,-] j:replicated, to [-,j] i:replicated
///
///        rank 0: rows 0   <->   rank 2: rows 1        ranks 0 and 2 need columns 0,
///        rank 1: rows 0   <->   rank 3: rows 1        ranks 1 and 3 need columns 1
///
/// Every rank calls it.
/// @param world all ranks of the mesh in the mesh's order, for memory of the context's device
/// @pre `from` and `to` do not overlap in memory; f32, f64 or bf16
/// @throws Error if shapes or types differ, if one of the matrices is Partial along an axis or Sharded over two axes,
/// or if the size of `world` is not the size of the mesh
void redistribute(RankContext& context, Communicator& world, const DistMatrix& from, DistMatrix& to);

}  // namespace recombine
