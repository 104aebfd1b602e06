#include "src/nn/checkpoint/file_shares.hpp"

#include <algorithm>

namespace recombine {

namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 20;  // of a share: 4 MiB

}  // namespace

/// A bias is one row, so each part of it is contiguous in the file.
bool FileShares::needs_bands(const ParameterTensor& tensor) const {
  const std::optional<Axis> cols = tensor.placement.cols;
  return tensor.matrix.rows > 1 && cols && mesh_.parts(*cols) > 1;
}

Placement FileShares::placement_of(const ParameterTensor& tensor) const {
  if (!needs_bands(tensor)) return tensor.placement;
  return {.rows = tensor.placement.rows, .rows_then = tensor.placement.cols, .row_unit = tensor.placement.row_unit};
}

std::vector<FileShares::Share> FileShares::of(const ParameterTensor& tensor) const {
  const Placement placement = placement_of(tensor);
  const std::vector<int> holders = ranks_with_blocks_of(mesh_, coord_, placement);
  const auto own = std::ranges::find(holders, mesh_.rank_of(coord_)) - holders.begin();
  std::vector<Share> shares;
  std::int64_t local = 0;
  for (const Block& block : DistMatrix::blocks_of(mesh_, coord_, tensor.matrix, placement)) {
    const std::int64_t size = block.rows.size() * block.cols.size();
    const Range part = split_range(size, std::ssize(holders), own);
    const std::int64_t first = block.rows.begin * tensor.matrix.cols + block.cols.begin;
    for (std::int64_t begin = part.begin; begin < part.end; begin += kMostElements) {
      const std::int64_t end = std::min(part.end, begin + kMostElements);
      shares.push_back({local + begin, {first + begin, first + end}});
    }
    local += size;
  }
  return shares;
}

std::int64_t FileShares::snapshot_elements(const TrainedTensors& tensors, DeviceKind device) const {
  std::int64_t all = 0;
  std::int64_t gaps = 0;  // elements between shares: see skipped() in snapshot.cpp
  for (std::size_t n = 0; n < tensors.size(); ++n) {
    for (const Share& share : of(tensors.parameter(n))) {
      all += share.elements.size();
      if (is_direct(share)) gaps += SharedFile::kBlock / size_of(DataType::f32);
    }
  }
  return (device == DeviceKind::cpu ? std::min(all, std::max(all * 3 / 4, 2 * kMostElements)) : all) + gaps;
}

std::int64_t FileShares::band_elements(const ParameterLayout& layout) const {
  std::int64_t most = 0;
  for (const ParameterTensor& tensor : layout.tensors()) {
    if (needs_bands(tensor)) {
      most = std::max(most, DistMatrix::local_size(mesh_, coord_, tensor.matrix, placement_of(tensor)));
    }
  }
  return most;
}

std::int64_t FileShares::received_elements(const ParameterLayout& layout) const {
  std::int64_t most = 0;
  for (const ParameterTensor& tensor : layout.tensors()) {
    if (!needs_bands(tensor)) continue;
    std::int64_t own = 0;  // columns
    for (const Block& block : DistMatrix::blocks_of(mesh_, coord_, tensor.matrix, tensor.placement)) {
      own = block.cols.size();
    }
    const std::int64_t band = DistMatrix::local_size(mesh_, coord_, tensor.matrix, placement_of(tensor));
    most = std::max(most, band / tensor.matrix.cols * (tensor.matrix.cols - own));
  }
  return most;
}

double snapshot_bytes(const Mesh& mesh, const Coord& coord, const ParameterLayout& layout, DeviceKind device,
                      int vectors) {
  const FileShares shares(mesh, coord);
  const TrainedTensors tensors = {layout, std::vector<VectorView>(static_cast<std::size_t>(vectors))};
  const std::int64_t on_device = device == DeviceKind::cpu ? shares.snapshot_elements(tensors, device) : 0;
  const std::int64_t bands = shares.band_elements(layout) + shares.received_elements(layout);
  return static_cast<double>((on_device + bands) * size_of(DataType::f32));
}

}  // namespace recombine
