#include "distributed/mpi/host/direct.hpp"

#include <algorithm>
#include <utility>

#include "distributed/mpi/host/reduce.hpp"
#include "distributed/mpi/host/steps.hpp"
#include "kernels/error.hpp"

namespace recombine::mpi {

namespace {

constexpr std::int64_t kChunkBytes = std::int64_t{16} << 10;  // of a sum: still in the cache when it is written again
constexpr std::int64_t kLine = 64;

std::int64_t chunk_elements(DataType type) { return kChunkBytes / size_of(type); }

std::int64_t chunks_of(Range range, DataType type) {
  return (range.size() + chunk_elements(type) - 1) / chunk_elements(type);
}

Range chunk_of(Range range, std::int64_t chunk, DataType type) {
  const std::int64_t begin = std::min(range.end, range.begin + chunk * chunk_elements(type));
  return {begin, std::min(range.end, begin + chunk_elements(type))};
}

std::vector<Range> ranges_of(std::span<const VectorView> pieces) {
  std::vector<Range> ranges;
  std::int64_t begin = 0;
  for (const VectorView& piece : pieces) {
    ranges.push_back({begin, begin + piece.size});
    begin += piece.size;
  }
  return ranges;
}

/// The share of rank `rank`, from a cache line's beginning: no two ranks write one line.
Range share_of(const DirectTask::Data& data, std::size_t ranks, std::size_t rank) {
  const std::int64_t before = data.place.offset % kLine;
  const std::int64_t lines = (before + data.view.bytes() + kLine - 1) / kLine;
  const Range share = split_range(lines, static_cast<std::int64_t>(ranks), static_cast<std::int64_t>(rank));
  const auto element = [&](std::int64_t line) {
    return std::clamp<std::int64_t>((line * kLine - before) / size_of(data.view.type), 0, data.view.size);
  };
  return {element(share.begin), element(share.end)};
}

class DirectReduce : public DirectTask {
 public:
  DirectReduce(Meeting& meeting, const Data& data, Range own, Reduction reduction)
      : DirectTask(meeting, data), type_(data.view.type), own_(own), reduction_(reduction), terms_(meeting.size()) {}

 protected:
  std::int64_t chunks() const final { return chunks_of(own_, type_); }
  void work(std::int64_t chunk) override { reduce_chunk(chunk); }

  Range chunk_range(std::int64_t chunk) const { return chunk_of(own_, chunk, type_); }
  VectorView reduce_chunk(std::int64_t chunk) {
    for (std::size_t r = 0; r < terms_.size(); ++r) terms_[r] = at(r, chunk_range(chunk)).data;
    const VectorView sum = at(rank(), chunk_range(chunk));
    reduce(sum, terms_, reduction_);
    return sum;
  }

 private:
  DataType type_;
  Range own_;
  Reduction reduction_;
  std::vector<const std::byte*> terms_;
};

class DirectAllReduce final : public DirectReduce {
 public:
  DirectAllReduce(Meeting& meeting, SlotWriter& writer, const Data& data, Reduction reduction)
      : DirectReduce(meeting, data, share_of(data, meeting.size(), meeting.rank()), reduction), writer_(writer) {}

 private:
  void work(std::int64_t chunk) override {
    const VectorView sum = reduce_chunk(chunk);
    for (std::size_t i = 1; i < ranks(); ++i) {
      writer_.write(at((rank() + i) % ranks(), chunk_range(chunk)).data, sum);
    }
  }

  SlotWriter& writer_;
};

class DirectAllGather final : public DirectTask {
 public:
  DirectAllGather(Meeting& meeting, const Data& data, std::vector<Range> pieces)
      : DirectTask(meeting, data), type_(data.view.type), pieces_(std::move(pieces)) {
    for (const Range& piece : pieces_) longest_ = std::max(longest_, chunks_of(piece, type_));
  }

 private:
  std::int64_t chunks() const override { return longest_ * static_cast<std::int64_t>(ranks() - 1); }
  void work(std::int64_t chunk) override {  // each rank begins with another
    const std::size_t from = (rank() + 1 + static_cast<std::size_t>(chunk / longest_)) % ranks();
    const Range range = chunk_of(pieces_[from], chunk % longest_, type_);
    take_from_slot(at(rank(), range).data, at(from, range));
  }

  DataType type_;
  std::vector<Range> pieces_;
  std::int64_t longest_ = 0;  ///< chunks of the longest piece
};

}  // namespace

bool DirectTask::advance() { return move_with_others(*this); }

bool DirectTask::move() {
  switch (stage_) {
    case Stage::coming:
      meeting_.come_with(data_.place);
      stage_ = Stage::waiting;
      return true;
    case Stage::waiting:
      if (!meeting_.all_came()) return false;
      check_places();
      stage_ = Stage::working;
      return true;
    case Stage::working:
      if (done_ < chunks()) {
        work(done_++);
      } else {
        meeting_.come();
        stage_ = Stage::leaving;
      }
      return true;
    case Stage::leaving:
      if (!meeting_.all_came()) return false;
      stage_ = Stage::finished;
      return true;
    case Stage::finished: break;
  }
  return false;
}

void DirectTask::check_places() const {
  for (std::size_t r = 0; r < ranks(); ++r) {
    const Place& other = meeting_.place_of(r);
    require(other == data_.place,
            "collective on {} bytes at {} of common memory {}, but rank {} of the group has {} at {} of {}",
            data_.place.bytes, data_.place.offset, data_.place.memory, r, other.bytes, other.offset, other.memory);
  }
}

VectorView DirectTask::at(std::size_t rank, Range elements) const {
  const VectorView whole{data_.memory->of(rank) + data_.place.offset, data_.view.size, data_.view.type};
  return whole.range(elements.begin, elements.end);
}

std::unique_ptr<cpu::Task> direct_all_reduce(Meeting& meeting, SlotWriter& writer, DirectTask::Data data,
                                             Reduction reduction) {
  return std::make_unique<DirectAllReduce>(meeting, writer, data, reduction);
}

std::unique_ptr<cpu::Task> direct_reduce_scatter(Meeting& meeting, DirectTask::Data data,
                                                 std::span<const VectorView> pieces, Reduction reduction) {
  return std::make_unique<DirectReduce>(meeting, data, ranges_of(pieces)[meeting.rank()], reduction);
}

std::unique_ptr<cpu::Task> direct_all_gather(Meeting& meeting, DirectTask::Data data,
                                             std::span<const VectorView> pieces) {
  return std::make_unique<DirectAllGather>(meeting, data, ranges_of(pieces));
}

}  // namespace recombine::mpi
