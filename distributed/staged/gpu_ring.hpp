#pragma once

#include <memory>
#include <span>

#include "distributed/communicator.hpp"
#include "distributed/compared_calls.hpp"

namespace recombine {

/// Collectives among the GPUs of one host's ranks, through a ring of slots per rank in pinned memory that the ranks
/// share. Data is cut into steps. The GPUs tell each other by words in the same memory when a slot is full
/// or free. The host only enqueues: it copies and sums nothing. In step s:
///
///     rank r, down      | wait until all ranks have taken step s - kSlots | copy to slot s % kSlots | show step s |
///     rank r, the call  | wait until all ranks have shown step s | copy up from their slots, sum on the GPU | take s |
///
/// `down` is a separate stream, so one step is copied down while another is copied up. A call of one step uses only
/// its own stream.
class GpuRing {
 public:
  static constexpr std::int64_t kSlotBytes = std::int64_t{4} << 20;  ///< long enough for the full speed of the bus

  virtual ~GpuRing() = default;
  /// As in communicator.hpp; `pieces` has one entry per rank. The caller compares the ranks' calls.
  virtual void all_reduce(Stream& stream, VectorView data, Reduction reduction) = 0;
  virtual void reduce_scatter(Stream& stream, std::span<const VectorView> pieces, Reduction reduction) = 0;
  virtual void all_gather(Stream& stream, std::span<const VectorView> pieces) = 0;
  virtual void broadcast(Stream& stream, VectorView data, int root) = 0;
};

/// A ring for the ranks of `group`. Null on every rank if they cannot share pinned memory. Blocks; every rank must call
/// it with the same `slot_bytes`. If `calls` finds that calls differ, the GPU's streams stop waiting for other ranks.
/// @pre group.size() > 1; group and calls outlive the ring
std::unique_ptr<GpuRing> make_gpu_ring(Communicator& group, ComparedCalls& calls, Device& device,
                                       std::int64_t slot_bytes);

}  // namespace recombine
