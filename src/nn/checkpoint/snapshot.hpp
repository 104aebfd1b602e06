#pragma once

#include <atomic>
#include <limits>
#include <vector>

#include "distributed/rank_context.hpp"
#include "src/nn/checkpoint/file_shares.hpp"
#include "src/nn/checkpoint/safetensors_header.hpp"

namespace recombine {

/// Where tensor `n` begins in a checkpoint, in bytes after the header.
std::int64_t first_byte(const TrainedTensors& tensors, std::size_t n);
/// How a checkpoint stores the tensors.
std::vector<NamedTensor> stored_tensors(const TrainedTensors& tensors);

/// This rank's share of a checkpoint, in the host's memory, so that training can change the tensors while the share is
/// written.
class Snapshot {
 public:
  /// Bytes that belong into the file.
  struct Piece {
    std::int64_t offset;  ///< in the file, after the header
    VectorView data;
  };

  /// Allocates the memory. @param group all ranks of the mesh, in its order, for memory of the context's device
  Snapshot(RankContext& context, Communicator& group, const TrainedTensors& tensors);

  /// Copies the tensors as they are after all work that the compute stream has now. Waits for it. Every rank calls it.
  void take();

  /// The pieces, in the order in which take() copies them; each at most some MiB.
  const std::vector<Piece>& pieces() const { return pieces_; }
  /// Another thread may write pieces while take() still copies others. It calls restart() before take(), and wait_for()
  /// before it reads a piece. Returns false if take() has failed.
  void restart() { taken_ = 0; }
  bool wait_for(std::size_t piece) const;
  /// The piece is written: a CPU's memory goes back to the system until the next take(), so that a process needs less
  /// than its whole share.
  void release(const Piece& piece) const;

 private:
  static constexpr std::size_t kFailed = std::numeric_limits<std::size_t>::max();
  void copy_all();
  bool is_on_cpu() const { return context_.device().kind() == DeviceKind::cpu; }

  RankContext& context_;
  Communicator& group_;
  TrainedTensors tensors_;
  FileShares shares_;
  Buffer bands_;  ///< of one tensor, on the device
  Buffer host_;
  std::vector<Piece> pieces_;
  std::atomic<std::size_t> taken_ = 0;  ///< pieces that take() has copied
};

}  // namespace recombine
