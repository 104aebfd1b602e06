#include "distributed/mpi/host/all_gather.hpp"

#include "distributed/mpi/host/copy.hpp"
#include "distributed/mpi/host/host_exchange.hpp"

namespace recombine::mpi {

AllGather::AllGather(Channel& channel, std::vector<VectorView> pieces, const Call& call)
    : StepsTask(channel, steps_for(pieces, Channel::kSlotBytes / size_of(pieces.front().type)), call),
      pieces_(std::move(pieces)),
      chunk_(Channel::kSlotBytes / size_of(pieces_.front().type)),
      ready_(own().size) {}

bool AllGather::can_fill() { return std::min(own().size, (filled() + 1) * chunk_) <= ready_ && channel().may_fill(); }

void AllGather::fill_step(std::int64_t step) { write(channel().slot_to_fill(), chunk_of(own(), step, chunk_)); }

void AllGather::take_step(std::int64_t step) {
  for (std::size_t i = 1; i < pieces_.size(); ++i) {  // each rank begins with a different piece
    const std::size_t r = (channel().rank() + i) % pieces_.size();
    const VectorView to = chunk_of(pieces_[r], step, chunk_);
    take_from_slot(to.data, ConstVectorView{channel().arrived_slot(r), to.size, to.type});
  }
}

std::unique_ptr<cpu::Task> HostExchange::all_gather(std::vector<VectorView> pieces, const Signature* signature) {
  const auto there = find(whole_of(pieces));
  const Call call = call_of(signature, there);
  if (there) return direct_all_gather(*barrier_, *there, pieces, call);
  return std::make_unique<AllGather>(*sums_, std::move(pieces), call);
}

}  // namespace recombine::mpi
