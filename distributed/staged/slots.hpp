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

/// The slots of GpuRing, and the words by which the ranks' GPUs synchronize their use. Each rank has a row of slots:
/// its GPU fills them, and all GPUs read them. It also has an inbox with two words for each other rank: that rank's
/// GPU writes them.
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

  /// Call it before streams are destroyed. If an exception is unwinding the stack, and the last call is not known to be
  /// the same on all ranks, this rank's GPU stops waiting for the others.
  void end_if_unwinding();

  std::int64_t slot_bytes() const { return slot_bytes_; }
  /// Begins the next step. The functions below refer to its slots. @throws Error after a failure
  void next_step();
  std::byte* slot_of(int rank) const;

  /// Makes later work on `down` start after all ranks have taken the step that used this slot before.
  void wait_until_free(Stream& down);
  /// Tells the other ranks that the slot is filled, after the work on `down` so far.
  void show(Stream& down);
  /// Makes later work on `up` start after all ranks have shown this step.
  void wait_until_shown(Stream& up);
  /// Tells the other ranks that their slots are read, after the work on `up` so far.
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
  std::vector<std::unique_ptr<cuda::RegisteredMemory>> pinned_;  ///< last: it waits for streams while check() runs
};

}  // namespace recombine
