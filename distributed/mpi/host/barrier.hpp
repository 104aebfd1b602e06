#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "distributed/mpi/host/doorbells.hpp"

namespace recombine::mpi {

/// A barrier for ranks of one host. A rank calls arrive(), and continues once all_arrived() is true: then every rank
/// has called arrive() at least as often as this rank. No function here blocks.
class Barrier {
 public:
  /// One rank's counter in shared memory, zero at first. Only this rank writes its cache line.
  struct alignas(64) Counter {
    std::atomic<std::uint64_t> arrivals;
  };

  Barrier(std::size_t rank, std::vector<Counter*> counters, Doorbells doorbells = {})
      : rank_(rank), counters_(std::move(counters)), doorbells_(std::move(doorbells)) {}

  std::size_t rank() const { return rank_; }
  std::size_t size() const { return counters_.size(); }
  /// Another rank rings it in arrive().
  cpu::Doorbell* doorbell() const { return doorbells_.own(); }

  void arrive() {
    counters_[rank_]->arrivals.store(++arrivals_);
    doorbells_.ring();
  }
  bool all_arrived() const {
    for (const Counter* counter : counters_) {
      if (counter->arrivals.load() < arrivals_) return false;
    }
    return true;
  }

 private:
  std::size_t rank_;
  std::vector<Counter*> counters_;
  Doorbells doorbells_;
  std::uint64_t arrivals_ = 0;
};

}  // namespace recombine::mpi
