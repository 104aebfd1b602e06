#pragma once

#include <functional>
#include <optional>

#include <cuda_runtime_api.h>

namespace recombine::cuda {

/// Ways to do the same work on one stream, from 0 on, in the order of preference.
struct Alternatives {
  int count;
  /// Enqueues the work for the first time, when libraries may still load code. Returns false if the alternative cannot
  /// be used.
  std::function<bool(int)> try_out;
  std::function<void(int)> enqueue;  ///< a graph captures it
};

/// The first usable alternative that takes at most 3 % longer than the fastest one: so small differences, which change
/// from run to run, do not change the choice. Empty if none can be used.
///
/// All alternatives are measured in turns, so that changes of the GPU's clock concern all of them. Short ones run many
/// times in one graph: timed alone, a product of 5 us was up to 1.5 times as long as the best one that was passed over.
/// The host waits, for at most about 60 ms; for 200 ms if the work takes longer than a millisecond. Work of more than
/// 10 ms is not compared: the first usable alternative is taken (in f32, 8192^3, no other was 1.5 % faster on an H200).
std::optional<int> choose_fastest(cudaStream_t stream, const Alternatives& alternatives);

/// Waits until `stream` has no work, because its work would disturb times that are measured on other streams. Gives up
/// after 5 ms: the work may depend on the host.
void wait_until_quiet(cudaStream_t stream);

}  // namespace recombine::cuda
