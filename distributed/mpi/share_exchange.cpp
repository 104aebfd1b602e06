#include "distributed/mpi/share_exchange.hpp"

#include <vector>

#include "distributed/mpi/host/host_exchange.hpp"
#include "distributed/mpi/host/reduce.hpp"
#include "distributed/mpi/mpi_calls.hpp"

namespace recombine::mpi {

namespace {

// Tag 0 belongs to Communicator::exchange.
constexpr int kTermsTag = 1;
constexpr int kSumsTag = 2;
constexpr std::int64_t kLeastInShares = std::int64_t{64} << 10;  // bytes

bool moves_in_shares(VectorView data) { return data.bytes() >= kLeastInShares; }

std::size_t rank_in(MPI_Comm comm) {
  int rank = 0;
  check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  return static_cast<std::size_t>(rank);
}

/// One share per rank. Empty if the data does not move in shares.
std::vector<VectorView> shares_of(MPI_Comm comm, VectorView data) {
  if (!moves_in_shares(data)) return {};
  int size = 0;
  check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  return even_pieces(data, static_cast<std::size_t>(size));
}

class ShareExchange final : public cpu::Task {
 public:
  ShareExchange(MPI_Comm comm, const ShareStep& step)
      : comm_(comm),
        step_(step),
        rank_(rank_in(comm)),
        summed_(shares_of(comm, step.summed)),
        gathered_(shares_of(comm, step.gathered)),
        messages_(request_task([this](auto& requests) { post(requests); })) {
    std::byte* other = step.terms;
    for (std::size_t r = 0; r < summed_.size(); ++r) {
      const VectorView own = summed_[rank_];
      terms_.push_back(r == rank_ ? own.data : other);
      if (r != rank_) other += own.bytes();
    }
  }

  State advance() override {
    if (messages_->advance() != State::finished) return State::waiting;
    const std::vector<const std::byte*> terms(terms_.begin(), terms_.end());
    if (!terms.empty()) reduce(summed_[rank_], terms, step_.reduction);
    return State::finished;
  }

 private:
  void post(std::vector<MPI_Request>& requests) {
    for_each_peer(gathered_, [&](std::size_t to) { send(gathered_[rank_], to, kSumsTag, requests); });
    for_each_peer(summed_, [&](std::size_t to) { send(summed_[to], to, kTermsTag, requests); });
    for_each_peer(gathered_, [&](std::size_t from) { receive(gathered_[from], from, kSumsTag, requests); });
    for_each_peer(summed_, [&](std::size_t from) {
      receive({terms_[from], summed_[rank_].size, summed_[rank_].type}, from, kTermsTag, requests);
    });
    if (step_.summed.size == 0 || !summed_.empty()) return;
    check(MPI_Iallreduce(MPI_IN_PLACE, step_.summed.data, static_cast<int>(step_.summed.size),
                         type_of(step_.summed.type), op_of(step_.reduction), comm_, &requests.emplace_back()),
          "MPI_Iallreduce");
  }

  /// Calls call(peer) for every other rank, beginning with the next one: so the ranks do not all send to rank 0 first.
  template <class Call>
  void for_each_peer(const std::vector<VectorView>& shares, const Call& call) const {
    for (std::size_t i = 1; i < shares.size(); ++i) call((rank_ + i) % shares.size());
  }
  void receive(VectorView to, std::size_t rank, int tag, std::vector<MPI_Request>& requests) const {
    check(MPI_Irecv(to.data, static_cast<int>(to.size), type_of(to.type), static_cast<int>(rank), tag, comm_,
                    &requests.emplace_back()),
          "MPI_Irecv");
  }
  void send(VectorView from, std::size_t rank, int tag, std::vector<MPI_Request>& requests) const {
    check(MPI_Isend(from.data, static_cast<int>(from.size), type_of(from.type), static_cast<int>(rank), tag, comm_,
                    &requests.emplace_back()),
          "MPI_Isend");
  }

  MPI_Comm comm_;
  ShareStep step_;
  std::size_t rank_;
  std::vector<VectorView> summed_, gathered_;  ///< shares, one per rank; empty: the data does not move in shares
  std::vector<std::byte*> terms_;              ///< of this rank's share of `summed`, one per rank, in rank order
  std::unique_ptr<cpu::Task> messages_;
};

}  // namespace

std::int64_t size_of_terms(MPI_Comm comm, VectorView summed) {
  const std::vector<VectorView> shares = shares_of(comm, summed);
  return shares.empty() ? 0 : shares[rank_in(comm)].bytes() * (std::ssize(shares) - 1);
}

std::unique_ptr<cpu::Task> exchange_shares(MPI_Comm comm, const ShareStep& step) {
  return std::make_unique<ShareExchange>(comm, step);
}

}  // namespace recombine::mpi
