#pragma once

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
    ConstVectorView data;
  };

  /// Allocates the memory. @param group all ranks of the mesh, in its order, for memory of the context's device
  Snapshot(RankContext& context, Communicator& group, const TrainedTensors& tensors);

  /// Copies the tensors as they are after all work that the compute stream has now. Waits for it. Every rank calls it.
  void take();
  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  /// A part of a tensor that lies in one piece in a rank's memory and in the file.
  struct Share {
    std::int64_t local;  ///< of the first element, in the memory of the blocks or bands
    Range elements;      ///< of the whole tensor, row by row
  };
  bool is_cut_by_columns(const ParameterTensor& tensor) const;
  Placement placement_of(const ParameterTensor& tensor) const;
  std::vector<Share> shares_of(const ParameterTensor& tensor) const;

  RankContext& context_;
  Communicator& group_;
  TrainedTensors tensors_;
  Buffer bands_;  ///< of one tensor, on the device
  Buffer host_;
  std::vector<Piece> pieces_;
};

}  // namespace recombine
