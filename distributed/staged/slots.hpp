#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/compared_calls.hpp"
#include "distributed/shared_pieces.hpp"
#include "kernels/cuda/registered_memory.hpp"

namespace recombine {

/// The slots of GpuRing, and the words by which the ranks' GPUs hand them over. Each rank has a row of slots, which its
/// GPU fills and all GPUs read, and an inbox with two words per other rank, which that rank's GPU writes.
class Slots {
 public:
  static constexpr std::uint32_t kSlots = 4;

  /// Bytes of shared memory per rank.
  static std::int64_t bytes_for(int ranks, std::int64_t slot_bytes);
  /// @throws Error if this rank cannot pin the memory
  Slots(Communicator& group, ComparedCalls& calls, const std::shared_ptr<cuda::Gpu>& gpu, const SharedPieces& memory,
        std::int64_t slot_bytes);
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  /// Before the destruction of streams: if an exception is on its way and the ranks have not all made the last call, this
  /// rank's GPU waits no longer for the others.
  void end_if_unwinding();

  std::int64_t slot_bytes() const { return slot_bytes_; }
  /// Begins the next step: the functions below are about its slots. @throws Error after a failure
  void next_step();
  std::byte* slot_of(int rank) const;

  /// Work on `down` then starts after all ranks have taken the step that was in this slot before.
  void wait_until_free(Stream& down);
  /// Shows the other ranks that the work on `down` so far has filled the slot.
  void show(Stream& down);
  /// Work on `up` then starts after all ranks have shown this step.
  void wait_until_shown(Stream& up);
  /// Shows the other ranks that the work on `up` so far has read their slots.
  void take(Stream& up);

 private:
  struct Inbox;
  Inbox& inbox(int owner, int writer) const;
  void wait_for_all(std::uint32_t Inbox::*word, std::uint32_t step, Stream& stream);
  void write_to_all(std::uint32_t Inbox::*word, Stream& stream);
  bool check();
  void end_waits();

  int rank_;
  int ranks_;
  std::int64_t slot_bytes_;
  SharedPieces memory_;
  ComparedCalls& calls_;
  std::atomic<std::uint32_t> step_ = 0;  ///< number of the last step, from 1; it may overflow
  std::atomic<bool> failed_ = false;
  std::shared_ptr<cuda::Watch::Check> watched_;
  std::vector<std::unique_ptr<cuda::RegisteredMemory>> pinned_;  ///< last: while it waits for streams, check() runs
};

}  // namespace recombine
