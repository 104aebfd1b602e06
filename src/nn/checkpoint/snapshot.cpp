#include "src/nn/checkpoint/snapshot.hpp"

#include <cstring>

#include "distributed/redistribute.hpp"
#include "src/nn/checkpoint/stored_tensors.hpp"

namespace recombine {

namespace {

/// How many elements to skip after `address`: the address is then equal to `offset` modulo SharedFile::kBlock.
std::int64_t skipped(const std::byte* address, std::int64_t offset) {
  const auto now = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(address) % SharedFile::kBlock);
  return (offset + SharedFile::kBlock - now) % SharedFile::kBlock / size_of(DataType::f32);
}

}  // namespace

Snapshot::Snapshot(RankContext& context, Communicator& group, const TrainedTensors& tensors)
    : context_(context), group_(group), tensors_(tensors), shares_(context.mesh(), context.coord()) {
  const std::int64_t band = shares_.band_elements(tensors.layout);
  if (band > 0) bands_ = Buffer(context.device(), DataType::f32, band);
  const std::int64_t size = shares_.snapshot_elements(tensors, context.device().kind());
  if (is_on_cpu()) {
    host_ = Buffer(context.device(), DataType::f32, size);
    // The first use of a page takes much longer than a copy, so it must not be in the first take().
    std::memset(host_.view().data, 0, static_cast<std::size_t>(host_.view().bytes()));
  } else {
    host_ = Buffer::on_host(context.device(), DataType::f32, size);
  }
  add_pieces();
}

/// Places the pieces one after the other, and from the beginning again at the end of the memory.
void Snapshot::add_pieces() {
  std::int64_t at = 0;
  std::size_t first_free = 0;  // the first piece whose memory is not used again
  for (std::size_t n = 0; n < tensors_.size(); ++n) {
    for (const FileShares::Share& share : shares_.of(tensors_.parameter(n))) {
      const std::int64_t offset = first_byte(tensors_, n) + share.elements.begin * size_of(DataType::f32);
      const std::int64_t size = share.elements.size();
      const auto begin_at = [&](std::int64_t free) {
        return FileShares::is_direct(share) ? free + skipped(host_.view().range(free, free).data, offset) : free;
      };
      at = begin_at(at);
      if (at + size > host_.view().size) at = begin_at(0);
      const VectorView data = host_.view().range(at, at + size);
      const auto overlaps = [&](const Piece& piece) {
        return piece.data.data < data.data + data.bytes() && data.data < piece.data.data + piece.data.bytes();
      };
      std::size_t after = first_free;
      for (std::size_t p = first_free; p < pieces_.size(); ++p) {
        if (overlaps(pieces_[p])) after = p + 1;
      }
      first_free = after;
      pieces_.push_back({offset, data, after});
      at += size;
    }
  }
}

void Snapshot::restart() {
  taken_ = 0;
  written_ = 0;
}

void Snapshot::take() {
  try {
    copy_all();
  } catch (...) {
    taken_ = kAll;
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
      const Piece& to = pieces_[piece++];
      for (std::size_t written = written_; written < to.after; written = written_) written_.wait(written);
      context_.device().copy(context_.compute(), to.data, from.range(share.local, share.local + share.elements.size()));
      if (is_on_cpu()) tell();  // on a CPU, copy() is done when it returns
    }
  }
  context_.compute().synchronize();
  tell();
}

bool Snapshot::wait_for(std::size_t piece) const {
  for (std::size_t taken = taken_; taken <= piece; taken = taken_) taken_.wait(taken);
  return taken_ != kAll;
}

void Snapshot::set_written(std::size_t pieces) {
  written_ = pieces;
  written_.notify_all();
}

}  // namespace recombine
