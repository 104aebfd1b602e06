#include "src/nn/checkpoint/snapshot.hpp"

#include <algorithm>
#include <cstdint>

#include <sys/mman.h>
#include <unistd.h>

#include "distributed/redistribute.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 20;  // of a piece: 4 MiB

}  // namespace

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
      const std::int64_t offset = first_byte(tensors, n) + share.elements.begin * size_of(DataType::f32);
      pieces_.push_back({offset, host_.view().range(at, at + share.elements.size())});
      at += share.elements.size();
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
    for (std::int64_t begin = part.begin; begin < part.end; begin += kMostElements) {
      const std::int64_t end = std::min(part.end, begin + kMostElements);
      shares.push_back({local + begin, {first + begin, first + end}});
    }
    local += size;
  }
  return shares;
}

void Snapshot::take() {
  try {
    copy_all();
  } catch (...) {
    taken_ = kFailed;
    taken_.notify_all();
    throw;
  }
}

void Snapshot::copy_all() {
  const bool inline_copies = context_.device().kind() == DeviceKind::cpu;
  std::size_t piece = 0;
  const auto tell = [&] {
    taken_ = piece;
    taken_.notify_all();
  };
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
      context_.device().copy(context_.compute(), pieces_[piece++].data,
                             from.range(share.local, share.local + share.elements.size()));
      if (inline_copies) tell();
    }
  }
  context_.compute().synchronize();
  tell();
}

bool Snapshot::wait_for(std::size_t piece) const {
  for (std::size_t taken = taken_; taken <= piece; taken = taken_) taken_.wait(taken);
  return taken_ != kFailed;
}

void Snapshot::release(const Piece& piece) const {
  if (context_.device().kind() != DeviceKind::cpu) return;  // pinned memory stays
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(piece.data.data) + page - 1) / page * page;
  const auto end =
      (reinterpret_cast<std::uintptr_t>(piece.data.data) + static_cast<std::uintptr_t>(piece.data.bytes())) / page *
      page;
  // If this fails, the memory stays until the process ends, as it does on a GPU's host.
  if (begin < end) static_cast<void>(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED) == 0);
}

}  // namespace recombine
