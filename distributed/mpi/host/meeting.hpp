#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace recombine::mpi {

/// Where a rank's data is in common memory.
struct Place {
  std::uint64_t memory = 0;  ///< which: they are made in the same order on every rank
  std::int64_t offset = 0;   ///< bytes
  std::int64_t bytes = 0;
  bool operator==(const Place&) const = default;
};

/// The ranks of a host meet: each comes, and goes on once all have come as often as it has. Nothing here blocks.
class Meeting {
 public:
  /// In shared memory, one per rank: a line that it alone writes. Zero at first.
  struct alignas(64) Seat {
    std::atomic<std::uint64_t> times;
    Place place;
  };

  Meeting(std::size_t rank, std::vector<Seat*> seats) : rank_(rank), seats_(std::move(seats)) {}

  std::size_t rank() const { return rank_; }
  std::size_t size() const { return seats_.size(); }

  /// @pre all ranks have left the meeting at which the last place was shown
  void come_with(const Place& place) {
    seats_[rank_]->place = place;
    come();
  }
  void come() { seats_[rank_]->times.store(++times_, std::memory_order_release); }
  bool all_came() const {
    for (const Seat* seat : seats_) {
      if (seat->times.load(std::memory_order_acquire) < times_) return false;
    }
    return true;
  }
  /// What `rank` came with. @pre all came
  const Place& place_of(std::size_t rank) const { return seats_[rank]->place; }

 private:
  std::size_t rank_;
  std::vector<Seat*> seats_;
  std::uint64_t times_ = 0;
};

}  // namespace recombine::mpi
