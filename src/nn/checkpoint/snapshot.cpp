#include "src/nn/checkpoint/snapshot.hpp"

#include <cstdint>

#include <sys/mman.h>
#include <unistd.h>

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
    : context_(context), group_(group), tensors_(tensors), shares_(context.mesh(), context.coord()) {
  const std::int64_t band = shares_.band_elements(tensors.layout);
  if (band > 0) bands_ = Buffer(context.device(), DataType::f32, band);
  const std::int64_t size = shares_.elements(tensors);
  host_ = is_on_cpu() ? Buffer(context.device(), DataType::f32, size)
                      : Buffer::on_host(context.device(), DataType::f32, size);
  std::int64_t at = 0;
  for (std::size_t n = 0; n < tensors.size(); ++n) {
    for (const FileShares::Share& share : shares_.of(tensors.parameter(n))) {
      const std::int64_t offset = first_byte(tensors, n) + share.elements.begin * size_of(DataType::f32);
      pieces_.push_back({offset, host_.view().range(at, at + share.elements.size())});
      at += share.elements.size();
    }
  }
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
  std::size_t piece = 0;
  const auto tell = [&] {
    taken_ = piece;
    taken_.notify_all();
  };
  for (std::size_t n = 0; n < tensors_.size(); ++n) {
    const ParameterTensor& tensor = tensors_.parameter(n);
    const DistMatrix blocks = tensors_.matrix(n);
    VectorView from = blocks.memory();
    if (shares_.needs_bands(tensor)) {
      DistMatrix bands(context_.mesh(), context_.coord(), tensor.matrix, shares_.placement_of(tensor), bands_.view());
      redistribute(context_, group_, blocks, bands);
      from = bands.memory();
    }
    for (const FileShares::Share& share : shares_.of(tensor)) {
      context_.device().copy(context_.compute(), pieces_[piece++].data,
                             from.range(share.local, share.local + share.elements.size()));
      if (is_on_cpu()) tell();  // copy() has done it
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
  if (!is_on_cpu()) return;  // pinned memory stays
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(piece.data.data) + page - 1) / page * page;
  const auto end =
      (reinterpret_cast<std::uintptr_t>(piece.data.data) + static_cast<std::uintptr_t>(piece.data.bytes())) / page *
      page;
  // If this fails, the memory stays until the process ends, as it does on a GPU's host.
  if (begin < end) static_cast<void>(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED) == 0);
}

}  // namespace recombine
