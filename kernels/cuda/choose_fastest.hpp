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

/// Returns the first usable alternative that takes at most 3 % longer than the fastest one. So small differences, which
/// change from run to run, do not change the choice. Empty if no alternative can be used.
///
/// All alternatives are measured in turns, so that changes of the GPU's clock affect all of them. Short ones run many
/// times in one graph: when products of 5 us were timed one by one, the chosen one took up to 1.5 times as long as the
/// best. The host waits for at most about 60 ms, or 200 ms if the work takes longer than a millisecond. Work of more
/// than 10 ms is not compared: the first usable alternative is taken (in f32, 8192^3, no other was 1.5 % faster on an
/// H200).
std::optional<int> choose_fastest(cudaStream_t stream, const Alternatives& alternatives);

/// Waits until `stream` has no work, because its work would disturb measurements on other streams. Gives up after 5 ms,
/// because the work may wait for the host.
void wait_until_quiet(cudaStream_t stream);

}  // namespace recombine::cuda
