#pragma once

#include "distributed/communicator.hpp"
#include "distributed/dist_matrix.hpp"
#include "distributed/rank_context.hpp"

namespace recombine {

/// Copies a matrix into another placement on the same mesh: each rank receives what `to` gives it from ranks that hold
/// it in `from`. If several ranks hold it (Replicated axes), the receiver itself is the sender if it is one of them;
/// else the one next to it along those axes sends, so that all holders send about as much. One exchange; the compute
/// stream waits for it. Of a Sharded block, only the rank's own rows are read or written.
///
///     mesh 2x2x1, from [i,-] j:replicated, to [-,j] i:replicated
///
///        rank 0: rows 0   <->   rank 2: rows 1        ranks 0 and 2 need columns 0,
///        rank 1: rows 0   <->   rank 3: rows 1        ranks 1 and 3 need columns 1
///
/// @param world all ranks of the mesh, in its order, for memory of the context's device; every rank calls this
/// @pre the two do not overlap; f32, f64 or bf16
/// @throws Error if shapes or types differ, if one of the two is Partial along an axis or Sharded over two, or if
/// `world` is not of the mesh's size
void redistribute(RankContext& context, Communicator& world, const DistMatrix& from, DistMatrix& to);

}  // namespace recombine
