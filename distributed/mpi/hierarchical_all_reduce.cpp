#include "distributed/mpi/hierarchical_all_reduce.hpp"

#include <algorithm>

#include "distributed/mpi/mpi_calls.hpp"
#include "distributed/mpi/share_exchange.hpp"

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
  bool running() const { return current_ != nullptr; }
  /// True if the current task can continue at once.
  bool ready() const { return current_ && state_ == cpu::Task::State::ready; }

 private:
  std::unique_ptr<cpu::Task> current_;
  cpu::Task::State state_ = cpu::Task::State::waiting;
  std::size_t done_ = 0;
};

class HierarchicalAllReduce final : public cpu::Task {
 public:
  HierarchicalAllReduce(HostExchange* inside, MPI_Comm between, VectorView data, Reduction reduction,
                        std::int64_t largest_piece)
      : inside_(inside), hosts_(between), reduction_(reduction) {
    const std::int64_t piece = std::min(largest_piece, kPieceBytes / size_of(data.type));
    for (std::int64_t begin = 0; begin < data.size; begin += piece) {
      const VectorView range = data.range(begin, std::min(data.size, begin + piece));
      parts_.push_back(even_pieces(range, inside ? static_cast<std::size_t>(inside->size()) : 1));
    }
    if (parts_.empty()) return;
    // The first piece is the longest: its terms need the most memory.
    terms_ = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(size_of_terms(hosts_, own(0))));
  }

  /// After an error, MPI may still write messages to `terms_`: do not free this memory.
  ~HierarchicalAllReduce() override {
    if (between_.running()) static_cast<void>(terms_.release());
  }
  HierarchicalAllReduce(const HierarchicalAllReduce&) = delete;
  HierarchicalAllReduce& operator=(const HierarchicalAllReduce&) = delete;

  State advance() override {
    const std::size_t pieces = parts_.size();
    bool moved = true;
    while (moved) {
      moved = sum_inside_.advance(inside_ ? pieces : 0, [&](std::size_t i) { return sum_inside(i); });
      // Step i sums piece i and gathers piece i - 1, so there is one step more than pieces.
      const std::size_t summed = inside_ ? sum_inside_.done() : pieces;
      const std::size_t steps = summed == pieces ? pieces + 1 : summed;
      moved = between_.advance(steps, [&](std::size_t i) { return exchange_between(i); }) || moved;
      const std::size_t gathered = std::max<std::size_t>(between_.done(), 1) - 1;
      moved = gather_inside_.advance(inside_ ? gathered : 0, [&](std::size_t i) { return gather_inside(i); }) || moved;
    }
    if (sum_inside_.ready() || between_.ready() || gather_inside_.ready()) return State::ready;
    return finished_or_waiting(between_.done() == pieces + 1 && (!inside_ || gather_inside_.done() == pieces));
  }

 private:
  /// The part of piece `i` that this rank sums with one rank of each other host.
  VectorView own(std::size_t i) const { return parts_[i][inside_ ? inside_->rank() : 0]; }
  std::unique_ptr<cpu::Task> sum_inside(std::size_t piece) const {
    return inside_->reduce_scatter(parts_[piece], reduction_, nullptr);
  }
  std::unique_ptr<cpu::Task> gather_inside(std::size_t piece) const {
    return inside_->all_gather(parts_[piece], nullptr);
  }
  std::unique_ptr<cpu::Task> exchange_between(std::size_t step) const {
    return exchange_shares(hosts_, {.summed = step < parts_.size() ? own(step) : VectorView{},
                                    .gathered = step > 0 ? own(step - 1) : VectorView{},
                                    .reduction = reduction_,
                                    .terms = terms_.get()});
  }

  HostExchange* inside_;
  MPI_Comm hosts_;
  Reduction reduction_;
  std::vector<std::vector<VectorView>> parts_;  ///< of each piece: one part per rank of the host
  std::unique_ptr<std::byte[]> terms_;          ///< received from other hosts, for the piece that is being summed
  TaskQueue sum_inside_;
  TaskQueue between_;
  TaskQueue gather_inside_;
};

}  // namespace

std::unique_ptr<cpu::Task> hierarchical_all_reduce(HostExchange* inside, MPI_Comm between, VectorView data,
                                                   Reduction reduction, std::int64_t largest_piece) {
  return std::make_unique<HierarchicalAllReduce>(inside, between, data, reduction, largest_piece);
}

}  // namespace recombine::mpi
