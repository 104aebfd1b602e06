#pragma once

#include <memory>
#include <optional>

#include "distributed/communicator.hpp"
#include "distributed/compared_calls.hpp"
#include "distributed/staged/gpu_ring.hpp"

namespace recombine {

/// Collectives on the memory of a GPU, through the host's memory: for ranks that share a GPU, and for machines without
/// NCCL. Ranks of one host use a GpuRing: their GPUs move and sum everything. Ranks of several hosts use MPI, and so
/// does every exchange. all_reduce by MPI works in pieces: one is copied down while another is summed.
///
///     down              | down 0 | down 1 | down 2 | ...                      everything is enqueued,
///     the host stream            | MPI 0  | MPI 1  | MPI 2  | ...             and the host waits for nothing
///     the call's stream                   |  up 0  |  up 1  |  up 2  | ...
class StagedCommunicator final : public Communicator {
 public:
  struct Options {
    std::int64_t slot_bytes = GpuRing::kSlotBytes;  ///< longest piece; the same on every rank
  };

  /// `group` is for the host's memory.
  StagedCommunicator(std::unique_ptr<Communicator> group, Device& device)
      : StagedCommunicator(std::move(group), device, Options()) {}
  StagedCommunicator(std::unique_ptr<Communicator> group, Device& device, Options options);
  ~StagedCommunicator() override;
  StagedCommunicator(const StagedCommunicator&) = delete;
  StagedCommunicator& operator=(const StagedCommunicator&) = delete;

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
  void all_reduce_in_pieces(Stream& stream, VectorView data, Reduction reduction);
  std::byte* staging(Stream& stream, std::int64_t bytes);
  /// Enqueues `call`, which moves staged data, on the host stream. It starts after the work enqueued on `stream` so
  /// far; `stream` continues after it.
  template <class Call>
  void on_host(Stream& stream, const Call& call);

  std::unique_ptr<Communicator> group_;
  Device& device_;
  Options options_;
  ComparedCalls calls_;
  std::unique_ptr<GpuRing> ring_;  ///< none if the ranks cannot share pinned memory
  std::unique_ptr<Stream> down_;   ///< copies pieces down; made when it is needed
  Buffer staging_;                 ///< u8, host memory; the calls use it one after the other
};

}  // namespace recombine
