#pragma once

#include <memory>

#include "distributed/communicator.hpp"

namespace recombine {

/// Collectives on the memory of a GPU, through the host's memory: the data is copied down to the host, MPI moves and
/// sums it, and the result is copied up. For ranks that share a GPU, and for machines without NCCL.
///
///     the call's stream    | down |. . . . . . . . . | up |      everything is enqueued,
///     the host stream             |  MPI on staging  |           and the host waits for nothing
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
  /// Enqueues `call`, which moves staged data, on the host stream. It starts after the work enqueued on `stream` so
  /// far; `stream` continues after it.
  template <class Call>
  void on_host(Stream& stream, const Call& call);

  std::unique_ptr<Communicator> group_;
  Device& device_;
  std::unique_ptr<Stream> host_;
  Buffer staging_;  ///< u8, host memory; the calls use it one after the other
};

}  // namespace recombine
