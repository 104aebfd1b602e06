#include "src/nn/checkpoint/snapshot.hpp"

#include <algorithm>

#include "distributed/redistribute.hpp"

namespace recombine {

std::int64_t first_byte(const TrainedTensors& tensors, std::size_t n) {
  const auto vector = static_cast<std::int64_t>(n / tensors.layout.tensors().size());
  return (vector * tensors.layout.file_size() + tensors.parameter(n).file_begin) * size_of(DataType::f32);
}

std::vector<NamedTensor> stored_tensors(const TrainedTensors& tensors) {
  std::vector<NamedTensor> stored;
  for (std::size_t n = 0; n < tensors.size(); ++n) {
    stored.push_back({tensors.name(n),
                      {.type = "F32",
                       .shape = tensors.parameter(n).shape,
                       .begin = first_byte(tensors, n),
                       .end = first_byte(tensors, n + 1)}});
  }
  return stored;
}

Snapshot::Snapshot(RankContext& context, Communicator& group, const TrainedTensors& tensors)
    : context_(context), group_(group), tensors_(tensors) {
  std::int64_t band = 0;
  std::int64_t size = 0;
  for (std::size_t n = 0; n < tensors.size(); ++n) {
    const ParameterTensor& tensor = tensors.parameter(n);
    for (const Share& share : shares_of(tensor)) size += share.elements.size();
    if (!is_cut_by_columns(tensor)) continue;
    band = std::max(band, DistMatrix::local_size(context.mesh(), context.coord(), tensor.matrix, placement_of(tensor)));
  }
  if (band > 0) bands_ = Buffer(context.device(), DataType::f32, band);
  host_ = Buffer::on_host(context.device(), DataType::f32, size);
  std::int64_t at = 0;
  for (std::size_t n = 0; n < tensors.size(); ++n) {
    for (const Share& share : shares_of(tensors.parameter(n))) {
      const std::int64_t end = at + share.elements.size();
      pieces_.push_back(
          {first_byte(tensors, n) + share.elements.begin * size_of(DataType::f32), host_.view().range(at, end)});
      at = end;
    }
  }
}

/// A bias is one row, so its parts lie in one piece in the file.
bool Snapshot::is_cut_by_columns(const ParameterTensor& tensor) const {
  const std::optional<Axis> cols = tensor.placement.cols;
  return tensor.matrix.rows > 1 && cols && context_.mesh().parts(*cols) > 1;
}

/// Of the blocks, or of the bands of rows that replace them.
Placement Snapshot::placement_of(const ParameterTensor& tensor) const {
  if (!is_cut_by_columns(tensor)) return tensor.placement;
  return {.rows = tensor.placement.rows, .rows_then = tensor.placement.cols, .row_unit = tensor.placement.row_unit};
}

std::vector<Snapshot::Share> Snapshot::shares_of(const ParameterTensor& tensor) const {
  const Placement placement = placement_of(tensor);
  // The ranks that hold the same blocks, and the number of this rank among them.
  int copies = 0;
  int own = 0;
  for (int rank = 0; rank < context_.mesh().size(); ++rank) {
    const Coord coord = context_.mesh().coord_of(rank);
    const bool same = std::ranges::all_of(
        kAxes, [&](Axis axis) { return !placement.cuts(axis) || coord[axis] == context_.coord()[axis]; });
    if (coord == context_.coord()) own = copies;
    copies += same ? 1 : 0;
  }
  std::vector<Share> shares;
  std::int64_t local = 0;
  for (const Block& block : DistMatrix::blocks_of(context_.mesh(), context_.coord(), tensor.matrix, placement)) {
    const std::int64_t size = block.rows.size() * block.cols.size();
    const Range part = split_range(size, copies, own);
    const std::int64_t first = block.rows.begin * tensor.matrix.cols + block.cols.begin;
    if (part.size() > 0) shares.push_back({local + part.begin, {first + part.begin, first + part.end}});
    local += size;
  }
  return shares;
}

void Snapshot::take() {
  std::int64_t at = 0;
  for (std::size_t n = 0; n < tensors_.size(); ++n) {
    const ParameterTensor& tensor = tensors_.parameter(n);
    const DistMatrix blocks = tensors_.matrix(n);
    VectorView from = blocks.memory();
    if (is_cut_by_columns(tensor)) {
      DistMatrix bands(context_.mesh(), context_.coord(), tensor.matrix, placement_of(tensor), bands_.view());
      redistribute(context_, group_, blocks, bands);
      from = bands.memory();
    }
    for (const Share& share : shares_of(tensor)) {
      const std::int64_t size = share.elements.size();
      context_.device().copy(context_.compute(), host_.view().range(at, at + size),
                             from.range(share.local, share.local + size));
      at += size;
    }
  }
  context_.compute().synchronize();
}

}  // namespace recombine
