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

std::vector<VectorView> shares_of(MPI_Comm comm, VectorView data) {
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
        messages_(request_task([this](auto& requests) { post(requests); })) {
    if (!moves_in_shares(step.summed)) return;
    own_ = shares_of(comm, step.summed)[rank_];
    const std::int64_t ranks = std::ssize(shares_of(comm, step.summed));
    for (std::int64_t r = 0, other = 0; r < ranks; ++r) {
      const bool own = r == static_cast<std::int64_t>(rank_);
      terms_.push_back(own ? own_.data : step.terms + own_.bytes() * other++);
    }
  }

  State advance() override {
    if (messages_->advance() != State::finished) return State::waiting;
    const std::vector<const std::byte*> terms(terms_.begin(), terms_.end());
    if (!terms.empty()) reduce(own_, terms, step_.reduction);
    return State::finished;
  }

 private:
  void post(std::vector<MPI_Request>& requests) {
    std::vector<VectorView> gathered, summed;
    if (moves_in_shares(step_.gathered)) gathered = shares_of(comm_, step_.gathered);
    if (moves_in_shares(step_.summed)) summed = shares_of(comm_, step_.summed);
    for_each_peer(gathered, [&](std::size_t to) { send(gathered[rank_], to, kSumsTag, requests); });
    for_each_peer(summed, [&](std::size_t to) { send(summed[to], to, kTermsTag, requests); });
    for_each_peer(gathered, [&](std::size_t from) { receive(gathered[from], from, kSumsTag, requests); });
    for_each_peer(summed, [&](std::size_t from) {
      receive({terms_[from], own_.size, own_.type}, from, kTermsTag, requests);
    });
    if (step_.summed.size == 0 || !summed.empty()) return;
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
  VectorView own_;                 ///< this rank's share of `summed`
  std::vector<std::byte*> terms_;  ///< for own_, one per rank, in rank order; empty if this step sums no shares
  std::unique_ptr<cpu::Task> messages_;
};

}  // namespace

std::int64_t size_of_terms(MPI_Comm comm, VectorView summed) {
  if (!moves_in_shares(summed)) return 0;
  const std::vector<VectorView> shares = shares_of(comm, summed);
  return shares[rank_in(comm)].bytes() * (std::ssize(shares) - 1);
}

std::unique_ptr<cpu::Task> exchange_shares(MPI_Comm comm, const ShareStep& step) {
  return std::make_unique<ShareExchange>(comm, step);
}

}  // namespace recombine::mpi
