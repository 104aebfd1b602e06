#pragma once

#include <memory>

#include "distributed/communicator.hpp"

namespace recombine {

/// Collectives on the memory of a GPU by way of the host's: copied down, moved and summed by MPI, copied up. For ranks
/// that share a GPU, and for machines without NCCL.
///
///     the call's stream    | down |. . . . . . . . . | up |          everything is enqueued, the host waits for
///     nothing the host stream             |   MPI on staging  |
class StagedCommunicator final : public Communicator {
 public:
  /// `group` is for the host's memory.
  StagedCommunicator(std::unique_ptr<Communicator> group, Device& device);
  ~StagedCommunicator() override;

  int rank() const override { return group_->rank(); }
  int size() const override { return group_->size(); }
  void all_reduce(Stream& stream, VectorView data, Reduction reduction) override;
  void reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                      Reduction reduction) override;
  void all_gather(Stream& stream, VectorView data, std::span<const std::int64_t> counts) override;
  void broadcast(Stream& stream, VectorView data, int root) override;
  void exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) override;
  std::unique_ptr<Communicator> split(int color, int key) override;
  void check_call(Stream& stream, const Signature& call) override { group_->check_call(stream, call); }

 private:
  std::byte* staging(Stream& stream, std::int64_t bytes);
  /// `call` moves staged data once `stream` has brought it; `stream` goes on when it has arrived.
  template <class Call>
  void on_host(Stream& stream, const Call& call);

  std::unique_ptr<Communicator> group_;
  Device& device_;
  std::unique_ptr<Stream> host_;
  Buffer staging_;  ///< u8, of MemoryKind::host; used by one call after the other
};

}  // namespace recombine
