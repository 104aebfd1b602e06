#include "distributed/mpi/host/direct.hpp"

#include <algorithm>

#include "distributed/mesh.hpp"
#include "distributed/mpi/host/reduce.hpp"
#include "distributed/mpi/host/steps.hpp"
#include "kernels/ceil_div.hpp"

namespace recombine::mpi {

namespace {

constexpr std::int64_t kChunkBytes = std::int64_t{16} << 10;  // small enough: a sum is copied from the cache
constexpr std::int64_t kLine = 64;
constexpr std::int64_t kLittleBytes = std::int64_t{64} << 10;  // their sum takes a few microseconds

std::int64_t chunk_elements(DataType type) { return kChunkBytes / size_of(type); }

/// This rank's share of `data`. Shares are cut between cache lines, so that no two ranks write one line.
VectorView own_share(const Barrier& barrier, const DirectTask::Data& data) {
  const std::int64_t before = data.place.offset % kLine;
  const std::int64_t lines = ceil_div(before + data.view.bytes(), kLine);
  const Range share =
      split_range(lines, static_cast<std::int64_t>(barrier.size()), static_cast<std::int64_t>(barrier.rank()));
  const auto element = [&](std::int64_t line) {
    return std::clamp<std::int64_t>((line * kLine - before) / size_of(data.view.type), 0, data.view.size);
  };
  return data.view.range(element(share.begin), element(share.end));
}

class DirectReduce : public DirectTask {
 public:
  DirectReduce(Barrier& barrier, const Data& data, VectorView own, Reduction reduction, const Call& call)
      : DirectTask(barrier, data, call), own_(own), reduction_(reduction), terms_(barrier.size()) {}

 protected:
  std::int64_t chunks() const final { return steps_for({&own_, 1}, chunk_elements(own_.type)); }
  void work(std::int64_t chunk) override { reduce_chunk(chunk); }

  VectorView reduce_chunk(std::int64_t chunk) {
    const VectorView sum = chunk_of(own_, chunk, chunk_elements(own_.type));
    for (std::size_t r = 0; r < terms_.size(); ++r) terms_[r] = at(r, sum).data;
    reduce(sum, terms_, reduction_);
    return sum;
  }

 private:
  VectorView own_;
  Reduction reduction_;
  std::vector<const std::byte*> terms_;
};

class DirectAllReduce final : public DirectReduce {
 public:
  DirectAllReduce(Barrier& barrier, SlotWriter& writer, const Data& data, Reduction reduction, const Call& call)
      : DirectReduce(barrier, data, own_share(barrier, data), reduction, call), writer_(writer) {}

 private:
  void work(std::int64_t chunk) override {
    const VectorView sum = reduce_chunk(chunk);
    for (std::size_t i = 1; i < ranks(); ++i) writer_.write(at((rank() + i) % ranks(), sum).data, sum);
  }

  SlotWriter& writer_;
};

class DirectAllGather final : public DirectTask {
 public:
  DirectAllGather(Barrier& barrier, const Data& data, std::span<const VectorView> pieces, const Call& call)
      : DirectTask(barrier, data, call),
        pieces_(pieces.begin(), pieces.end()),
        longest_(steps_for(pieces, chunk_elements(data.view.type))) {}

 private:
  std::int64_t chunks() const override { return longest_ * static_cast<std::int64_t>(ranks() - 1); }
  void work(std::int64_t chunk) override {  // each rank begins with the piece of the next rank
    const std::size_t from = (rank() + 1 + static_cast<std::size_t>(chunk / longest_)) % ranks();
    const VectorView to = chunk_of(pieces_[from], chunk % longest_, chunk_elements(pieces_[from].type));
    take_from_slot(to.data, at(from, to));
  }

  std::vector<VectorView> pieces_;  ///< of this rank's data, one per rank
  std::int64_t longest_;            ///< number of chunks of the longest piece
};

}  // namespace

cpu::Task::State DirectTask::advance() { return move_with_others(*this); }

cpu::Task::State DirectTask::begin() {
  const bool little = data_.view.bytes() <= kLittleBytes;
  if (stage_ == Stage::starting) move();
  // Ranks that make this call at the same time show it within a microsecond.
  for (int poll = 0; stage_ == Stage::comparing && !move(); ++poll) {
    if (!little || poll == kPolls) return State::waiting;
    __builtin_ia32_pause();
  }
  if (stage_ == Stage::working && !little) return State::ready;
  return advance();
}

bool DirectTask::move() {
  switch (stage_) {
    case Stage::starting:
      call_.show();
      stage_ = Stage::comparing;
      return true;
    case Stage::comparing:
      if (!call_.agreed()) return false;
      stage_ = Stage::working;
      return true;
    case Stage::working:
      if (done_ < chunks()) {
        work(done_++);
      } else {
        barrier_.arrive();
        stage_ = Stage::in_barrier;
      }
      return true;
    case Stage::in_barrier:
      if (!barrier_.all_arrived()) return false;
      stage_ = Stage::finished;
      return true;
    case Stage::finished: break;
  }
  return false;
}

VectorView DirectTask::at(std::size_t rank, VectorView own) const {
  return {data_.memory->of(rank) + (own.data - data_.memory->own()), own.size, own.type};
}

std::unique_ptr<cpu::Task> direct_all_reduce(Barrier& barrier, SlotWriter& writer, const DirectTask::Data& data,
                                             Reduction reduction, const Call& call) {
  return std::make_unique<DirectAllReduce>(barrier, writer, data, reduction, call);
}

std::unique_ptr<cpu::Task> direct_reduce_scatter(Barrier& barrier, const DirectTask::Data& data,
                                                 std::span<const VectorView> pieces, Reduction reduction,
                                                 const Call& call) {
  return std::make_unique<DirectReduce>(barrier, data, pieces[barrier.rank()], reduction, call);
}

std::unique_ptr<cpu::Task> direct_all_gather(Barrier& barrier, const DirectTask::Data& data,
                                             std::span<const VectorView> pieces, const Call& call) {
  return std::make_unique<DirectAllGather>(barrier, data, pieces, call);
}

}  // namespace recombine::mpi
