#include "distributed/mpi/host/all_gather.hpp"
#include "distributed/mpi/host/copy.hpp"
#include "distributed/mpi/host/host_exchange.hpp"
#include "distributed/mpi/host/reduce.hpp"
#include "distributed/mpi/host/reduce_scatter.hpp"

namespace recombine::mpi {

namespace {

/// Up to this size, one exchange of all data is faster than two exchanges of shares: a rank waits for the others once,
/// not twice.
constexpr std::int64_t kSmallBytes = 16 << 10;

/// All_reduce in one step, on three ranks. a, b, c: the data of ranks 0, 1, 2.
///
///     rank 0   fills [a]   takes slots 0, 1, 2:   (a + b) + c
///     rank 1   fills [b]   takes slots 0, 1, 2:   (a + b) + c
///     rank 2   fills [c]   takes slots 0, 1, 2:   (a + b) + c
class SmallAllReduce final : public StepsTask {
 public:
  SmallAllReduce(Channel& channel, VectorView data, Reduction reduction, const Call& call)
      : StepsTask(channel, 1, call), data_(data), reduction_(reduction), terms_(channel.size()) {}

 private:
  void fill_step(std::int64_t /*step*/) override { write(channel().slot_to_fill(), data_); }
  void take_step(std::int64_t /*step*/) override {
    for (std::size_t r = 0; r < terms_.size(); ++r) terms_[r] = channel().arrived_slot(r);
    reduce(data_, terms_, reduction_);
  }

  VectorView data_;
  Reduction reduction_;
  std::vector<const std::byte*> terms_;
};

/// A reduce_scatter of even shares and an all_gather of the sums, at the same time, each on its own channel. So the
/// sum of a chunk is sent while it is still in the cache. Two ranks, shares a and b, chunks 0, 1, 2 ...
///
///     rank 0   parts:  fill b0   fill b1  sum a0           fill b2  sum a1           ...
///              sums:                              fill a0                   fill a1  take b0
class AllReduce final : public cpu::Task {
 public:
  AllReduce(Channel& parts, Channel& sums, const std::vector<VectorView>& shares, Reduction reduction, const Call& call)
      : scatter_(parts, shares, reduction, call), gather_(sums, shares, call), call_(call) {}

  State advance() override {
    const State state = move_with_others(*this);
    // Throws if another rank makes a different call. Such a rank runs no steps, so the steps cannot detect it.
    if (state == State::waiting) static_cast<void>(call_.agreed());
    return state;
  }
  cpu::Doorbell* doorbell() const override { return scatter_.doorbell(); }

  bool finished() const { return gather_.finished() && scatter_.finished(); }
  bool move() {
    gather_.set_ready(scatter_.summed());
    return gather_.move() || scatter_.move();
  }

 private:
  ReduceScatter scatter_;
  AllGather gather_;
  Call call_;
};

}  // namespace

std::unique_ptr<cpu::Task> HostExchange::all_reduce(VectorView data, Reduction reduction, const Signature& signature) {
  const auto there = find(data);
  const Call call = call_of(&signature, there);
  if (there) return direct_all_reduce(*barrier_, writer_, *there, reduction, call);
  if (data.bytes() <= kSmallBytes) return std::make_unique<SmallAllReduce>(*parts_, data, reduction, call);
  return std::make_unique<AllReduce>(*parts_, *sums_, even_pieces(data, parts_->size()), reduction, call);
}

}  // namespace recombine::mpi
