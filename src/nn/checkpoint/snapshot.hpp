#pragma once

#include <atomic>
#include <limits>
#include <vector>

#include "distributed/rank_context.hpp"
#include "src/nn/checkpoint/safetensors_header.hpp"
#include "src/nn/trained_tensors.hpp"

namespace recombine {

/// Where tensor `n` begins in a checkpoint, in bytes after the header.
std::int64_t first_byte(const TrainedTensors& tensors, std::size_t n);
/// How a checkpoint stores the tensors.
std::vector<NamedTensor> stored_tensors(const TrainedTensors& tensors);

/// This rank's share of a checkpoint, in the host's memory, so that training can change the tensors while the share is
/// written. Together the ranks hold each element once. A share consists of whole rows of the file, so that it is
/// written in few long pieces: a tensor whose columns are cut is redistributed to bands of rows first.
///
///     W [out, in] on 2x1x2, cut along k        bands of rows         shares of the copies along i
///       ranks  0 | 1   and the same on           0                     0
///              0 | 1   ranks 2 | 3               0   same on 2   ->    2
///              0 | 1                             1                     1
///              0 | 1                             1   same on 3         3
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
  /// A part of a tensor that lies in one piece in a rank's memory and in the file.
  struct Share {
    std::int64_t local;  ///< of the first element, in the memory of the blocks or bands
    Range elements;      ///< of the whole tensor, row by row
  };
  static constexpr std::size_t kFailed = std::numeric_limits<std::size_t>::max();
  void copy_all();
  bool is_cut_by_columns(const ParameterTensor& tensor) const;
  Placement placement_of(const ParameterTensor& tensor) const;
  std::vector<Share> shares_of(const ParameterTensor& tensor) const;

  RankContext& context_;
  Communicator& group_;
  TrainedTensors tensors_;
  Buffer bands_;  ///< of one tensor, on the device
  Buffer host_;
  std::vector<Piece> pieces_;
  std::atomic<std::size_t> taken_ = 0;  ///< pieces that take() has copied
};

}  // namespace recombine
