#pragma once

#include <vector>

#include "distributed/io/shared_file.hpp"
#include "kernels/device.hpp"
#include "src/nn/trained_tensors.hpp"

namespace recombine {

/// Which part of each tensor a rank writes to a checkpoint. Together the ranks write each element once. Shares are long
/// and contiguous in the file: a tensor whose columns are cut is first redistributed to bands of whole rows. A value.
///
///     W [out, in] on 2x1x2, cut along k        bands of rows         shares of the copies along i
///       ranks  0 | 1   and the same on           0                     0
///              0 | 1   ranks 2 | 3               0   same on 2   ->    2
///              0 | 1                             1                     1
///              0 | 1                             1   same on 3         3
class FileShares {
 public:
  /// A part of a tensor that is contiguous in the rank's memory and in the file.
  struct Share {
    std::int64_t local;  ///< of the first element, in the memory of the blocks or bands
    Range elements;      ///< of the whole tensor, row by row; at most about a million
  };

  /// True if the share is large enough for SharedFile to write it without a copy in the page cache.
  static bool is_direct(const Share& share) {
    return share.elements.size() * size_of(DataType::f32) >= SharedFile::kLeastDirect;
  }

  FileShares(const Mesh& mesh, const Coord& coord) : mesh_(mesh), coord_(coord) {}

  bool needs_bands(const ParameterTensor& tensor) const;
  /// The placement of the blocks, or of the bands that replace them.
  Placement placement_of(const ParameterTensor& tensor) const;
  std::vector<Share> of(const ParameterTensor& tensor) const;

  /// Elements of a Snapshot's memory: all shares of this rank; on a CPU 3/4 of them, but at least two shares.
  std::int64_t snapshot_elements(const TrainedTensors& tensors, DeviceKind device) const;
  /// The largest number of elements of one tensor that this rank holds in bands, and that it receives from other ranks.
  std::int64_t band_elements(const ParameterLayout& layout) const;
  std::int64_t received_elements(const ParameterLayout& layout) const;

 private:
  Mesh mesh_;
  Coord coord_;
};

/// Bytes that a Snapshot takes on the rank at `coord`, as Device::memory_count() counts them.
/// @param vectors  the flat vectors of a checkpoint: the weights, each moment, and the best weights
double snapshot_bytes(const Mesh& mesh, const Coord& coord, const ParameterLayout& layout, DeviceKind device,
                      int vectors);

}  // namespace recombine
