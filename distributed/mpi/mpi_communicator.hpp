#pragma once

#include <memory>
#include <optional>

#include <mpi.h>

#include "distributed/communicator.hpp"
#include "distributed/mpi/checked_task.hpp"
#include "distributed/mpi/host/host_exchange.hpp"
#include "distributed/mpi/host_groups.hpp"
#include "distributed/shared_pieces.hpp"

namespace recombine::mpi {

/// Collectives on host memory. Among ranks of one host, they use memory that the ranks share. Over several hosts,
/// all_reduce works by hierarchical_all_reduce.hpp: if the hosts have the same number of ranks, it first sums inside
/// each host. All other collectives between hosts are nonblocking MPI calls, which the stream polls. MPI's counts are
/// ints, so longer data is sent in pieces.
class MpiCommunicator final : public Communicator, public SharesMemory {
 public:
  static constexpr std::int64_t kLargestPiece = std::int64_t{1} << 30;

  /// For tests on one machine.
  struct Options {
    std::int64_t largest_piece = kLargestPiece;  ///< elements in one MPI call
    std::optional<int> host = {};                ///< the simulated host of this rank; none: the machine
  };

  /// Takes ownership of `comm`. Blocks; every rank of `comm` calls it.
  explicit MpiCommunicator(MPI_Comm comm) : MpiCommunicator(comm, Options()) {}
  MpiCommunicator(MPI_Comm comm, Options options);
  ~MpiCommunicator() override;
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void all_reduce(Stream& stream, VectorView data, Reduction reduction) override;
  void reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                      Reduction reduction) override;
  void all_gather(Stream& stream, VectorView data, std::span<const std::int64_t> counts) override;
  void broadcast(Stream& stream, VectorView data, int root) override;
  void exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) override;
  Buffer allocate(Device& device, DataType type, std::int64_t size, MemoryUse use) override;
  SharedPieces share_memory(std::int64_t bytes) override;
  std::unique_ptr<Communicator> split(int color, int key) override;
  void check_call(Stream& stream, const Signature& call) override;

 private:
  /// Tells the other ranks that this rank makes no more calls. Blocks if the group spans several hosts.
  void end_calls();
  /// `call` with the next sequence number of the group.
  Signature next(Signature call);
  /// Compares `call` on all ranks and blocks until the comparison is done. For calls that block in MPI anyway.
  void check_now(const Signature& call);
  /// Enqueues `operation` between hosts; `call` is compared at the same time.
  void submit_checked(Stream& stream, const Signature& call, std::unique_ptr<cpu::Task> operation);
  void submit_checked(Stream& stream, const Signature& call, std::function<void(std::vector<MPI_Request>&)> post);
  bool on_one_host() const { return hosts_->route() == Route::one_host; }
  template <class Byte, class Call>
  void for_each_piece(BasicVectorView<Byte> data, const Call& call) const;

  MPI_Comm comm_;
  Options options_;
  int rank_ = 0;
  int size_ = 1;
  std::uint64_t calls_made_ = 0;
  std::unique_ptr<CallChecker> checker_;  ///< none for one rank
  std::unique_ptr<HostGroups> hosts_;
  std::unique_ptr<HostExchange> exchange_;  ///< inside this host; none if the route does not use it
};

}  // namespace recombine::mpi
