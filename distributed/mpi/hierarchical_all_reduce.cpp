#include "distributed/mpi/hierarchical_all_reduce.hpp"

#include <algorithm>

#include "distributed/mpi/mpi_calls.hpp"

namespace recombine::mpi {

namespace {

constexpr std::int64_t kPieceBytes = std::int64_t{4} << 20;

/// Runs tasks one after the other.
class TaskQueue {
 public:
  /// Runs the first `ready` tasks as far as possible; start(i) makes task i. Returns true if a task has finished.
  template <class Start>
  bool advance(std::size_t ready, const Start& start) {
    const std::size_t before = done_;
    while (done_ < ready) {
      if (!current_) current_ = start(done_);
      state_ = current_->advance();
      if (state_ != cpu::Task::State::finished) break;
      current_.reset();
      ++done_;
    }
    return done_ > before;
  }
  std::size_t done() const { return done_; }
  /// True if the current task can continue at once.
  bool ready() const { return current_ && state_ == cpu::Task::State::ready; }

 private:
  std::unique_ptr<cpu::Task> current_;
  cpu::Task::State state_ = cpu::Task::State::waiting;
  std::size_t done_ = 0;
};

class HierarchicalAllReduce final : public cpu::Task {
 public:
  HierarchicalAllReduce(HostExchange& inside, MPI_Comm between, VectorView data, Reduction reduction,
                        std::int64_t largest_piece)
      : inside_(inside), between_(between), reduction_(reduction) {
    const std::int64_t piece = std::min(largest_piece, kPieceBytes / size_of(data.type));
    for (std::int64_t begin = 0; begin < data.size; begin += piece) {
      const VectorView range = data.range(begin, std::min(data.size, begin + piece));
      shares_.push_back(even_pieces(range, static_cast<std::size_t>(inside.size())));
    }
  }

  State advance() override {
    bool moved = true;
    while (moved) {
      moved = scatter_.advance(shares_.size(), [&](std::size_t i) { return scatter_task(i); });
      moved = combine_.advance(scatter_.done(), [&](std::size_t i) { return combine_task(i); }) || moved;
      moved = gather_.advance(combine_.done(), [&](std::size_t i) { return gather_task(i); }) || moved;
    }
    if (scatter_.ready() || combine_.ready() || gather_.ready()) return State::ready;
    return finished_or_waiting(gather_.done() == shares_.size());
  }

 private:
  std::unique_ptr<cpu::Task> scatter_task(std::size_t piece) const {
    return inside_.reduce_scatter(shares_[piece], reduction_, nullptr);
  }
  std::unique_ptr<cpu::Task> gather_task(std::size_t piece) const {
    return inside_.all_gather(shares_[piece], nullptr);
  }
  std::unique_ptr<cpu::Task> combine_task(std::size_t piece) const {
    const VectorView share = shares_[piece][inside_.rank()];
    return request_task([share, this](auto& requests) {
      check(MPI_Iallreduce(MPI_IN_PLACE, share.data, static_cast<int>(share.size), type_of(share.type),
                           op_of(reduction_), between_, &requests.emplace_back()),
            "MPI_Iallreduce");
    });
  }

  HostExchange& inside_;
  MPI_Comm between_;
  Reduction reduction_;
  std::vector<std::vector<VectorView>> shares_;  ///< for each piece, one share per rank of the host
  TaskQueue scatter_;
  TaskQueue combine_;
  TaskQueue gather_;
};

}  // namespace

std::unique_ptr<cpu::Task> hierarchical_all_reduce(HostExchange& inside, MPI_Comm between, VectorView data,
                                                   Reduction reduction, std::int64_t largest_piece) {
  return std::make_unique<HierarchicalAllReduce>(inside, between, data, reduction, largest_piece);
}

}  // namespace recombine::mpi
