#include "distributed/compared_calls.hpp"

#include <vector>

#include "kernels/cpu/cpu_stream.hpp"
#include "kernels/error.hpp"

namespace recombine {

void ComparedCalls::record() {
  Event last = host_->record();
  const std::lock_guard lock(mutex_);
  last_ = std::move(last);
}

bool ComparedCalls::all_equal() {
  Event last;
  {
    const std::lock_guard lock(mutex_);
    last = last_;
  }
  return !last || last->done();
}

void ComparedCalls::begin(const Signature& call) {
  group_.check_call(*host_, call);
  record();
}

void ComparedCalls::begin_exchange(const Signature& call, const ExchangePieces& pieces) {
  group_.check_call(*host_, call);
  struct Tables {
    std::vector<PeerTraffic> own, theirs;
  };
  const auto tables = std::make_shared<Tables>(pieces.traffic, std::vector<PeerTraffic>(pieces.traffic.size()));
  std::vector<Piece> to;
  std::vector<Piece> from;
  for (int r = 0; r < group_.size(); ++r) {
    const auto entry = [r](std::vector<PeerTraffic>& table) {
      return vector_view(reinterpret_cast<std::uint8_t*>(&table[static_cast<std::size_t>(r)]), sizeof(PeerTraffic));
    };
    to.push_back({r, entry(tables->own)});
    from.push_back({r, entry(tables->theirs)});
  }
  group_.exchange(*host_, to, from);
  cpu::submit_call(cpu::as_cpu_stream(*host_), [tables, rank = group_.rank(), size = group_.size()] {
    for (int r = 0; r < size; ++r) {
      const auto index = static_cast<std::size_t>(r);
      const std::string why = describe_mismatch(RankTraffic{rank, tables->own[index]}, {r, tables->theirs[index]});
      require(r == rank || why.empty(), "{} (ranks of a group of {})", why, size);
    }
  });
  record();
}

}  // namespace recombine
