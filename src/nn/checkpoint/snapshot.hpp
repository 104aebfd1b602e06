#pragma once

#include <atomic>
#include <limits>
#include <vector>

#include "distributed/rank_context.hpp"
#include "src/nn/checkpoint/file_shares.hpp"

namespace recombine {

/// A copy of this rank's share of a checkpoint in host memory, made piece by piece. Training can change the tensors
/// while another thread writes the pieces. On a CPU, the last quarter reuses the memory of the first quarter:
///
///     take()    copy 0 | copy 1 | copy 2 | copy 3 into the memory of 0, once 0 is written | training ...
///     writer           | write 0                 | write 1 | write 2 | write 3 |
class Snapshot {
 public:
  /// Bytes to write to the file. For FileShares::is_direct(), address and offset are equal modulo SharedFile::kBlock.
  struct Piece {
    std::int64_t offset;  ///< in the file, after the header
    VectorView data;
    std::size_t after;  ///< number of pieces that must be written before take() copies this one
  };

  /// Allocates the memory. @param group all ranks of the mesh, in its order, for memory of the context's device
  Snapshot(RankContext& context, Communicator& group, const TrainedTensors& tensors);

  /// Copies the tensors after all work that is now on the compute stream. Blocks until the copy is done. Every rank
  /// calls it, after restart(), while another thread writes.
  void take();
  /// Prepares the next take(). @pre no thread writes
  void restart();

  /// For the thread that writes: the pieces, in the order in which take() copies them; each at most a few MiB.
  const std::vector<Piece>& pieces() const { return pieces_; }
  bool wait_for(std::size_t piece) const;     ///< until it is copied. Returns false if take() has failed
  void set_written(std::size_t pieces);       ///< tells that the first `pieces` pieces are written
  void stop_writing() { set_written(kAll); }  ///< tells that the thread will read no more pieces

 private:
  static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  void add_pieces();
  void copy_all();
  bool is_on_cpu() const { return context_.device().kind() == DeviceKind::cpu; }

  RankContext& context_;
  Communicator& group_;
  TrainedTensors tensors_;
  FileShares shares_;
  Buffer bands_;  ///< of one tensor at a time, on the device
  Buffer host_;
  std::vector<Piece> pieces_;
  std::atomic<std::size_t> taken_ = 0;    ///< pieces that take() has copied; kAll: it has failed
  std::atomic<std::size_t> written_ = 0;  ///< pieces whose memory may be used again
};

}  // namespace recombine
