#pragma once

#include <functional>
#include <memory>

#include "tests/cuda_on_cpu/libraries/nccl/segment.hpp"

namespace emulated::nccl {

/// Thrown by a wait if a rank has aborted the communicator.
struct Aborted {};

/// A rank's number in a communicator, and the number of ranks.
struct Place {
  int rank;
  int ranks;
};

/// One rank's end of a communicator. Enqueued work keeps it alive. It takes no lock of the C library: the thread
/// sanitizer would see an order between threads that CUDA does not promise.
class Communicator {
 public:
  /// Blocks until all ranks have called it. @throws Aborted
  Communicator(const Address& address, const Place& place, int device);

  int rank() const { return place_.rank; }
  int ranks() const { return place_.ranks; }
  int device() const { return device_; }
  Segment& segment() const { return *shared_.get(); }
  bool reachable() const { return shared_.get() != nullptr; }
  /// Two ranks that use the same device, lower rank first, or {-1, -1}. The library refuses this.
  std::array<int, 2> ranks_on_one_device() const;

  /// @throws Aborted
  void wait_for_all(Barrier Segment::*barrier);
  /// One turn of a loop that waits for another rank. @throws Aborted
  void pause(int turn) const;
  /// If ranks make different calls, ends the program with the names of both. If RECOMBINE_EMULATED_MISMATCH is set, it
  /// waits forever instead, as the real library does. @throws Aborted
  void agree(const Signature& signature);
  void wait_if_mismatches_hang() const;

  /// Enqueues `work`. It runs after all earlier work of this communicator, on any stream. Captured work is ordered
  /// again at each launch of its graph.
  [[nodiscard]] static cudaError_t enqueue(const std::shared_ptr<Communicator>& self, cudaStream_t stream,
                                           std::function<void()> work);
  /// Blocks until all enqueued work is done or aborted.
  void finish();
  void abort();
  /// Blocks until no graph contains work of this communicator. If one still does after two seconds, ends the program
  /// with a message that names `call`: the library would wait forever.
  void wait_for_graphs(const char* call) const;
  /// ncclRemoteError after a rank has aborted the communicator, else ncclSuccess.
  ncclResult_t state() const;

 private:
  /// Ends the program if another communicator of the device has unfinished work on another stream, unless
  /// NCCL_LAUNCH_ORDER_IMPLICIT orders the launches. An order by events does not count: the product uses none here.
  static void refuse_without_order(const std::shared_ptr<Communicator>& self, cudaStream_t stream);

  SharedSegment shared_;
  Place place_;
  int device_;
  std::atomic<bool> aborted_{false};  // by this rank
  std::atomic<int> graphs_{0};        // pieces of work in graphs
  std::atomic<std::uint64_t> enqueued_{0};
  std::atomic<std::uint64_t> done_{0};
};

}  // namespace emulated::nccl
