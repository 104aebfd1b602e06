#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "distributed/mpi/host/calls.hpp"
#include "distributed/mpi/host/copy.hpp"
#include "distributed/mpi/host/doorbells.hpp"
#include "kernels/matrix.hpp"

namespace recombine::mpi {

/// The protocol of everything that goes through memory shared by the ranks of a host. Each rank has a ring of slots
/// that it alone writes and all may read. Work goes in steps, the same ones on every rank; in step s
///
///     rank r:   wait until all have taken step s - kSlots  |  fill own slot s % kSlots  |  publish()
///               wait until those have published whom it reads  |  read their slots s % kSlots  |  take()
///
/// Filling may run up to kSlots steps ahead of reading, so nobody waits for a slot while the others keep up. Nothing
/// here blocks: what cannot go on says so, and is asked again after the rank's doorbell. A rank publishes and takes
/// every step, also those in which it fills or reads nothing, so that all ranks are at the same step when an operation
/// ends.
class Channel {
 public:
  static constexpr std::uint64_t kSlots = 8;
  static constexpr std::int64_t kSlotBytes = std::int64_t{64} << 10;

  /// In shared memory, one per rank. A line each, as one rank writes it and all poll it.
  struct Counters {
    alignas(64) std::atomic<std::uint64_t> published;  ///< steps, since the beginning
    std::atomic<std::uint64_t> marks[2];               ///< of the call that the last step is of, and of the one before
    alignas(64) std::atomic<std::uint64_t> taken;
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "counters are shared between processes");

  /// What one rank has in shared memory, zero at first.
  struct Segment {
    Counters counters;
    alignas(64) std::byte slots[kSlots * static_cast<std::size_t>(kSlotBytes)];
  };

  Channel(std::size_t rank, std::vector<Segment*> segments, Doorbells doorbells = {})
      : rank_(rank), segments_(std::move(segments)), doorbells_(std::move(doorbells)) {}

  std::size_t rank() const { return rank_; }
  std::size_t size() const { return segments_.size(); }
  /// Rung when another rank has published or taken.
  cpu::Doorbell* doorbell() const { return doorbells_.own(); }

  /// True when the next step's slot of this rank is free.
  bool may_fill() { return published_ < kSlots || all_have(&Counters::taken, taken_by_all_, published_ - kSlots + 1); }
  std::byte* slot_to_fill() const { return slot(rank_, published_); }
  /// With the mark of the call that the step is of: whoever sees the step has the line with it already.
  void publish(const CallMark& mark) {
    segments_[rank_]->counters.marks[mark.sequence % 2].store(mark.hash, std::memory_order_relaxed);
    show(&Counters::published, ++published_);
  }

  SlotWriter& writer() { return writer_; }

  /// True when rank `from`, or every rank, has published the next step to take.
  bool arrived(std::size_t from) const { return segments_[from]->counters.published.load() > taken_; }
  bool all_arrived() { return all_have(&Counters::published, published_by_all_, taken_ + 1); }
  /// Whether what has arrived is of that call on every rank. False too while a rank has not come.
  bool all_marked(const CallMark& mark) const {
    return std::ranges::all_of(segments_, [&](const Segment* segment) {
      return segment->counters.marks[mark.sequence % 2].load(std::memory_order_relaxed) == mark.hash;
    });
  }
  const std::byte* arrived_slot(std::size_t from) const { return slot(from, taken_); }
  void take() { show(&Counters::taken, ++taken_); }

 private:
  using Counter = std::atomic<std::uint64_t> Counters::*;

  void show(Counter counter, std::uint64_t steps) const {
    (segments_[rank_]->counters.*counter).store(steps);
    doorbells_.ring();
  }
  std::byte* slot(std::size_t rank, std::uint64_t step) const {
    return segments_[rank]->slots + (step % kSlots) * static_cast<std::size_t>(kSlotBytes);
  }
  /// `seen` is the least of all counters when they were last read, so that most calls read none.
  bool all_have(Counter counter, std::uint64_t& seen, std::uint64_t count) const;

  std::size_t rank_;
  std::vector<Segment*> segments_;  ///< one per rank
  Doorbells doorbells_;
  std::uint64_t published_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t published_by_all_ = 0;
  std::uint64_t taken_by_all_ = 0;
  SlotWriter writer_;
};

/// Step `step` of `data` cut into steps of `elements`; empty behind its end.
template <class Byte>
BasicVectorView<Byte> chunk_of(BasicVectorView<Byte> data, std::int64_t step, std::int64_t elements) {
  const std::int64_t begin = std::min(data.size, step * elements);
  return data.range(begin, std::min(data.size, begin + elements));
}

}  // namespace recombine::mpi
