#include "distributed/mpi/host_exchange.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "distributed/mesh.hpp"
#include "distributed/mpi/mpi_calls.hpp"
#include "kernels/error.hpp"

namespace recombine::mpi {

namespace {

template <class T>
void reduce_into(T* __restrict to, const T* __restrict from, std::int64_t size, Reduction reduction) {
  if (reduction == Reduction::sum) {
    for (std::int64_t i = 0; i < size; ++i) to[i] = static_cast<T>(to[i] + from[i]);
  } else {
    for (std::int64_t i = 0; i < size; ++i) to[i] = to[i] < from[i] ? from[i] : to[i];
  }
}

void reduce_into(VectorView to, ConstVectorView from, Reduction reduction) {
  switch (to.type) {
    case DataType::f32: return reduce_into(to.as<float>(), from.as<float>(), to.size, reduction);
    case DataType::f64: return reduce_into(to.as<double>(), from.as<double>(), to.size, reduction);
    case DataType::i64: return reduce_into(to.as<std::int64_t>(), from.as<std::int64_t>(), to.size, reduction);
    case DataType::i32: return reduce_into(to.as<std::int32_t>(), from.as<std::int32_t>(), to.size, reduction);
    case DataType::u8: return reduce_into(to.as<std::uint8_t>(), from.as<std::uint8_t>(), to.size, reduction);
    case DataType::bf16: break;
  }
  throw Error(fmt::format("no reduction of {}", name_of(to.type)));
}

}  // namespace

HostExchange::HostExchange(MPI_Comm comm) {
  int rank = 0;
  int size = 0;
  check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  rank_ = static_cast<std::size_t>(rank);
  const auto header = static_cast<std::int64_t>(sizeof(Counters));
  void* own = nullptr;
  check(MPI_Win_allocate_shared(header + 2 * kChunkBytes + 64, 1, MPI_INFO_NULL, comm, &own, &window_),
        "MPI_Win_allocate_shared");
  for (int r = 0; r < size; ++r) {
    MPI_Aint bytes = 0;
    int unit = 0;
    void* base = nullptr;
    check(MPI_Win_shared_query(window_, r, &bytes, &unit, &base), "MPI_Win_shared_query");
    auto space = static_cast<std::size_t>(bytes);
    auto* aligned = static_cast<std::byte*>(std::align(64, static_cast<std::size_t>(header), base, space));
    if (r == rank) new (aligned) Counters{};
    segments_.push_back({reinterpret_cast<Counters*>(aligned), aligned + header});
  }
  check(MPI_Barrier(comm), "MPI_Barrier");
}

HostExchange::~HostExchange() { MPI_Win_free(&window_); }

bool HostExchange::all_reached(std::atomic<std::uint64_t> Counters::*counter, std::uint64_t count) const {
  return std::ranges::all_of(segments_, [&](const Segment& segment) {
    return (segment.counters->*counter).load(std::memory_order_acquire) >= count;
  });
}

class HostExchange::AllReduce final : public cpu::Task {
 public:
  AllReduce(HostExchange& exchange, VectorView data, Reduction reduction)
      : exchange_(exchange), data_(data), reduction_(reduction) {}

  bool advance() override {
    while (begin_ < data_.size) {
      const bool moved = step_ == Step::copy_in ? copy_in() : step_ == Step::sum ? sum() : copy_out();
      if (!moved) return false;
    }
    return true;
  }

 private:
  enum class Step { copy_in, sum, copy_out };

  VectorView chunk() const {
    const std::int64_t most = kChunkBytes / size_of(data_.type);
    return data_.range(begin_, std::min(data_.size, begin_ + most));
  }
  Range share(std::size_t rank) const {
    return split_range(chunk().size, static_cast<std::int64_t>(exchange_.segments_.size()),
                       static_cast<std::int64_t>(rank));
  }
  VectorView in_slot(std::size_t rank, Range range) const {
    const VectorView slot{exchange_.slot(rank, sequence_), chunk().size, data_.type};
    return slot.range(range.begin, range.end);
  }

  bool copy_in() {
    sequence_ = exchange_.next_chunk_;
    // The slot was used two chunks ago: everybody must have taken that.
    if (sequence_ >= 2 && !exchange_.all_reached(&Counters::done, sequence_ - 1)) return false;
    ++exchange_.next_chunk_;
    std::memcpy(exchange_.slot(exchange_.rank_, sequence_), chunk().data,
                static_cast<std::size_t>(chunk().bytes()));
    return publish(&Counters::arrived, Step::sum);
  }

  bool sum() {
    if (!exchange_.all_reached(&Counters::arrived, sequence_ + 1)) return false;
    const Range own = share(exchange_.rank_);
    const VectorView result = chunk().range(own.begin, own.end);
    const VectorView first = in_slot(0, own);
    std::memcpy(result.data, first.data, static_cast<std::size_t>(first.bytes()));
    for (std::size_t r = 1; r < exchange_.segments_.size(); ++r) reduce_into(result, in_slot(r, own), reduction_);
    std::memcpy(in_slot(exchange_.rank_, own).data, result.data, static_cast<std::size_t>(result.bytes()));
    return publish(&Counters::reduced, Step::copy_out);
  }

  bool copy_out() {
    if (!exchange_.all_reached(&Counters::reduced, sequence_ + 1)) return false;
    for (std::size_t r = 0; r < exchange_.segments_.size(); ++r) {
      if (r == exchange_.rank_) continue;
      const Range theirs = share(r);
      const VectorView from = in_slot(r, theirs);
      std::memcpy(chunk().range(theirs.begin, theirs.end).data, from.data,
                  static_cast<std::size_t>(from.bytes()));
    }
    begin_ += chunk().size;
    return publish(&Counters::done, Step::copy_in);
  }

  bool publish(std::atomic<std::uint64_t> Counters::*counter, Step next) {
    (exchange_.segments_[exchange_.rank_].counters->*counter).store(sequence_ + 1, std::memory_order_release);
    step_ = next;
    return true;
  }

  HostExchange& exchange_;
  VectorView data_;
  Reduction reduction_;
  Step step_ = Step::copy_in;
  std::int64_t begin_ = 0;
  std::uint64_t sequence_ = 0;
};

std::unique_ptr<cpu::Task> HostExchange::all_reduce(VectorView data, Reduction reduction) {
  return std::make_unique<AllReduce>(*this, data, reduction);
}

}  // namespace recombine::mpi
