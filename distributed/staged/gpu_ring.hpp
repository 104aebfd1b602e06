#pragma once

#include <memory>
#include <span>

#include "distributed/communicator.hpp"
#include "distributed/compared_calls.hpp"

namespace recombine {

/// Collectives among the GPUs of one host's ranks, through a ring of slots per rank in pinned memory that the ranks
/// share. Data is cut into steps. The GPUs hand the slots to each other by words in the same memory: the host only
/// enqueues, and no rank copies or sums on the host. In step s:
///
///     rank r, down      | wait until all ranks have taken step s - kSlots | copy to own slot s % kSlots | show step s |
///     rank r, the call  | wait until all ranks have shown step s | copy up from their slots, sum on the GPU | take s |
///
/// `down` is a stream of its own, so one step is on its way down while another is copied up. A call of one step needs
/// only the call's stream.
class GpuRing {
 public:
  static constexpr std::int64_t kSlotBytes = std::int64_t{4} << 20;  ///< long enough for the full speed of the bus

  virtual ~GpuRing() = default;
  /// communicator.hpp says what they do; `pieces` has one entry per rank. The caller compares the calls.
  virtual void all_reduce(Stream& stream, VectorView data, Reduction reduction) = 0;
  virtual void reduce_scatter(Stream& stream, std::span<const VectorView> pieces, Reduction reduction) = 0;
  virtual void all_gather(Stream& stream, std::span<const VectorView> pieces) = 0;
  virtual void broadcast(Stream& stream, VectorView data, int root) = 0;
};

/// A ring for the ranks of `group`. Null on every rank if they cannot share pinned memory. Blocks; every rank calls it
/// with the same `slot_bytes`. If `calls` finds that calls differ, the GPU's streams wait no longer for other ranks.
/// @pre group.size() > 1; group and calls outlive the ring
std::unique_ptr<GpuRing> make_gpu_ring(Communicator& group, ComparedCalls& calls, Device& device,
                                       std::int64_t slot_bytes);

}  // namespace recombine
