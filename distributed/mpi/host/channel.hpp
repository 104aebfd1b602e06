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

/// The protocol of all data that goes through slots in memory shared by the ranks of a host. Each rank has a ring of
/// slots: only this rank writes them, and all ranks may read them. The work is cut into steps, the same on every rank.
/// In step s:
///
///     rank r:   wait until all ranks have taken step s - kSlots  |  fill own slot s % kSlots  |  publish()
///               wait until the ranks to read from have published step s  |  read their slots s % kSlots  |  take()
///
/// A rank may fill up to kSlots steps ahead of the slowest reader. So no rank waits for a slot unless a reader is that
/// slow. No function here blocks: it returns false if it cannot continue, and the caller tries again after the rank's
/// doorbell has rung. A rank publishes and takes every step, also if it fills or reads nothing in this step. So all
/// ranks are at the same step when an operation ends.
class Channel {
 public:
  static constexpr std::uint64_t kSlots = 8;
  static constexpr std::int64_t kSlotBytes = std::int64_t{64} << 10;

  /// One rank's counters in shared memory. Only this rank writes them, and all ranks poll them, so `published` and
  /// `taken` are on different cache lines.
  struct Counters {
    alignas(64) std::atomic<std::uint64_t> published;  ///< steps since the beginning
    std::atomic<std::uint64_t> marks[2];               ///< of the last step's call and of the previous call
    alignas(64) std::atomic<std::uint64_t> taken;
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "counters are shared between processes");

  /// One rank's part of the shared memory, zero at first.
  struct Segment {
    Counters counters;
    alignas(64) std::byte slots[kSlots * static_cast<std::size_t>(kSlotBytes)];
  };

  Channel(std::size_t rank, std::vector<Segment*> segments, Doorbells doorbells = {})
      : rank_(rank), segments_(std::move(segments)), doorbells_(std::move(doorbells)) {}

  std::size_t rank() const { return rank_; }
  std::size_t size() const { return segments_.size(); }
  /// Another rank rings it after it has published or taken.
  cpu::Doorbell* doorbell() const { return doorbells_.own(); }

  /// True if this rank's slot for the next step is free.
  bool may_fill() { return published_ < kSlots || all_have(&Counters::taken, taken_by_all_, published_ - kSlots + 1); }
  std::byte* slot_to_fill() const { return slot(rank_, published_); }
  /// Publishes the filled slot and the mark of its call. Counter and mark are on the same cache line, so a rank that
  /// has read the counter gets the mark without another cache miss.
  void publish(const CallMark& mark) {
    segments_[rank_]->counters.marks[mark.sequence % 2].store(mark.hash, std::memory_order_relaxed);
    show(&Counters::published, ++published_);
  }

  SlotWriter& writer() { return writer_; }

  /// True if rank `from`, or every rank, has published the next step to take.
  bool arrived(std::size_t from) const { return segments_[from]->counters.published.load() > taken_; }
  bool all_arrived() { return all_have(&Counters::published, published_by_all_, taken_ + 1); }
  /// True if every rank has published a step of the call with this mark. False before a rank has
  /// published one.
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
  /// @param seen the smallest of all counters when they were last read; if it is large enough, no counter is read
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

/// Step `step` of `data`, which is cut into steps of `elements` elements. Empty after the end of `data`.
template <class Byte>
BasicVectorView<Byte> chunk_of(BasicVectorView<Byte> data, std::int64_t step, std::int64_t elements) {
  const std::int64_t begin = std::min(data.size, step * elements);
  return data.range(begin, std::min(data.size, begin + elements));
}

}  // namespace recombine::mpi
