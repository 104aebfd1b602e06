#pragma once

#include <mpi.h>

#include <memory>

#include "distributed/communicator.hpp"
#include "distributed/mpi/host_exchange.hpp"

namespace recombine::mpi {

/// Collectives over host memory: sums among ranks of one host go through a shared window, everything else is
/// MPI's nonblocking calls, moved on by the stream. MPI's counts are ints: longer data goes in pieces.
class MpiCommunicator final : public Communicator {
 public:
  static constexpr std::int64_t kLargestPiece = std::int64_t{1} << 30;

  /// Takes over `comm`. Blocks; every rank of it calls this. `largest_piece` is for tests.
  explicit MpiCommunicator(MPI_Comm comm, std::int64_t largest_piece = kLargestPiece);
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
  void send(Stream& stream, ConstVectorView data, int to) override;
  void recv(Stream& stream, VectorView data, int from) override;
  void shift(Stream& stream, ConstVectorView out, VectorView in, int distance) override;
  std::unique_ptr<Communicator> split(int color, int key) override;

 private:
  template <class Byte, class Call>
  void for_each_piece(BasicVectorView<Byte> data, const Call& call) const;

  MPI_Comm comm_;
  std::int64_t largest_piece_;
  int rank_ = 0;
  int size_ = 1;
  std::unique_ptr<HostExchange> host_;  ///< none where the group spans hosts, or is one rank
};

}  // namespace recombine::mpi
