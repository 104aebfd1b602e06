#include "distributed/mpi/host/reduce_scatter.hpp"

#include "distributed/mpi/host/copy.hpp"
#include "distributed/mpi/host/host_exchange.hpp"
#include "distributed/mpi/host/reduce.hpp"

namespace recombine::mpi {

namespace {

/// Elements per reader that fit in a slot, in whole cache lines.
std::int64_t chunk_elements(const Channel& channel, DataType type) {
  const auto readers = static_cast<std::int64_t>(channel.size()) - 1;
  return Channel::kSlotBytes / std::max<std::int64_t>(1, readers) / 64 * 64 / size_of(type);
}

}  // namespace

ReduceScatter::ReduceScatter(Channel& channel, std::vector<VectorView> pieces, Reduction reduction, const Call& call)
    : StepsTask(channel, steps_for(pieces, chunk_elements(channel, pieces.front().type)), call),
      pieces_(std::move(pieces)),
      reduction_(reduction),
      chunk_(chunk_elements(channel, pieces_.front().type)),
      terms_(channel.size()) {}

std::int64_t ReduceScatter::place(std::size_t owner, std::size_t reader) const {
  const std::size_t index = reader < owner ? reader : reader - 1;
  return static_cast<std::int64_t>(index) * chunk_ * size_of(pieces_.front().type);
}

void ReduceScatter::fill_step(std::int64_t step) {
  const std::size_t rank = channel().rank();
  std::byte* slot = channel().slot_to_fill();
  for (std::size_t r = 0; r < pieces_.size(); ++r) {
    if (r != rank) write(slot + place(rank, r), chunk_of(pieces_[r], step, chunk_));
  }
}

void ReduceScatter::take_step(std::int64_t step) {
  const std::size_t rank = channel().rank();
  const VectorView sum = chunk_of(own(), step, chunk_);
  for (std::size_t r = 0; r < pieces_.size(); ++r) {
    terms_[r] = r == rank ? sum.data : channel().arrived_slot(r) + place(r, rank);
  }
  reduce(sum, terms_, reduction_);
}

std::unique_ptr<cpu::Task> HostExchange::reduce_scatter(std::vector<VectorView> pieces, Reduction reduction,
                                                        const Signature* signature) {
  const auto there = find(whole_of(pieces));
  const Call call = call_of(signature, there);
  if (there) return direct_reduce_scatter(*barrier_, *there, pieces, reduction, call);
  return std::make_unique<ReduceScatter>(*parts_, std::move(pieces), reduction, call);
}

}  // namespace recombine::mpi
