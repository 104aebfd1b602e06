#pragma once

#include <functional>
#include <span>

#include "src/nn/model.hpp"

namespace recombine {

/// Brings the weights to rank 0 in the order of the file, band by band, and calls `visit` there with each band: whole
/// rows of one tensor, at most some MiB. So rank 0 needs memory for one band, not for the model. Every rank calls it.
///
///     W [out, in] on 1x2x2     band of rows 0-1        band of rows 2-3
///       ranks  0 0 | 1 1       0 0 1 1  -> rank 0      2 2 3 3  -> rank 0
///              0 0 | 1 1       0 0 1 1                 2 2 3 3
///              ---------
///              2 2 | 3 3
///              2 2 | 3 3
///
/// @param group all ranks of the mesh, in its order, for memory of the context's device
void for_each_band(RankContext& context, Communicator& group, const Model& model,
                   const std::function<void(std::span<const float>)>& visit);

}  // namespace recombine
