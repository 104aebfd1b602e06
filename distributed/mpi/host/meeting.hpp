#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "distributed/mpi/host/doorbells.hpp"

namespace recombine::mpi {

/// A barrier for ranks of one host. A rank calls come(), and goes on when all_came() is true: when every rank has come
/// as often as this one. No function here blocks.
class Meeting {
 public:
  /// One rank's counter in shared memory, zero at first. Only this rank writes its cache line.
  struct alignas(64) Seat {
    std::atomic<std::uint64_t> times;
  };

  Meeting(std::size_t rank, std::vector<Seat*> seats, Doorbells doorbells = {})
      : rank_(rank), seats_(std::move(seats)), doorbells_(std::move(doorbells)) {}

  std::size_t rank() const { return rank_; }
  std::size_t size() const { return seats_.size(); }
  /// Another rank rings it after it has come.
  cpu::Doorbell* doorbell() const { return doorbells_.own(); }

  void come() {
    seats_[rank_]->times.store(++times_);
    doorbells_.ring();
  }
  bool all_came() const {
    for (const Seat* seat : seats_) {
      if (seat->times.load() < times_) return false;
    }
    return true;
  }

 private:
  std::size_t rank_;
  std::vector<Seat*> seats_;
  Doorbells doorbells_;
  std::uint64_t times_ = 0;
};

}  // namespace recombine::mpi
