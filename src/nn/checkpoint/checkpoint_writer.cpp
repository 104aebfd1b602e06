#include "src/nn/checkpoint/checkpoint_writer.hpp"

#include <algorithm>
#include <utility>

#include "distributed/session.hpp"
#include "kernels/error.hpp"
#include "src/nn/checkpoint/stored_tensors.hpp"

namespace recombine {

CheckpointWriter::CheckpointWriter(const Parts& parts, const TrainedTensors& tensors, Options options)
    : parts_(parts),
      options_(std::move(options)),
      snapshot_(parts.context, parts.group, tensors),
      tensor_bytes_(first_byte(tensors, tensors.size())) {}

void CheckpointWriter::create(std::int64_t step, std::int64_t bytes) {
  parts_.folder->make_file([&] {
    temporary_.emplace(options_.name, parts_.folder->path_of(step));
    temporary_->reserve(bytes);
  });
}

void CheckpointWriter::begin(std::int64_t step, const std::string& header) {
  const auto header_bytes = static_cast<std::int64_t>(header.size());
  on_root(parts_.world, parts_.stream, [&] { create(step, header_bytes + tensor_bytes_); });
  SharedFile::Identity identity;
  if (temporary_) identity = {temporary_->path(), temporary_->inode()};
  identity = SharedFile::share(parts_.world, parts_.stream, identity);
  agree(parts_.world, parts_.stream, [&] {
    // Without this check, the message for a missing file would blame the option.
    if (parts_.folder != nullptr) parts_.folder->require_there();
    file_.emplace(options_.name, identity);
  });
  snapshot_.restart();
  ++begun_;
  step_ = step;
  commit_.reset();
  share_.emplace([this, header] {
    try {
      write_share(header);
    } catch (...) {
      snapshot_.stop_writing();  // take() may wait for a piece
      throw;
    }
  });
  snapshot_.take();
}

void CheckpointWriter::write_share(const std::string& header) {
  if (parts_.world.rank() == 0) {
    file_->write(0, reinterpret_cast<const std::byte*>(header.data()), static_cast<std::int64_t>(header.size()));
  }
  for (std::size_t p = 0; p < snapshot_.pieces().size(); ++p) {
    if (!snapshot_.wait_for(p)) return;
    const Snapshot::Piece& piece = snapshot_.pieces()[p];
    const std::int64_t offset = static_cast<std::int64_t>(header.size()) + piece.offset;
    file_->write(offset, piece.data.data, piece.data.bytes());
    snapshot_.set_written(p + 1);
    file_->begin_sync(offset, piece.data.bytes());
  }
  file_->sync();
}

void CheckpointWriter::start_commit() {
  commit_.emplace([this] {
    temporary_->publish();
    parts_.folder->commit(step_, options_.keep);
  });
}

std::int64_t CheckpointWriter::progress() const {
  if (!share_) return 0;
  if (!share_->done()) return 2 * begun_ - 2;
  const bool nothing_left = parts_.world.rank() != 0 || (commit_ && commit_->done());
  return 2 * begun_ - (nothing_left ? 0 : 1);
}

bool CheckpointWriter::failed() const { return (share_ && share_->failed()) || (commit_ && commit_->failed()); }

void CheckpointWriter::advance(std::int64_t least) {
  known_ = std::max(known_, least);
  const bool all_written = known_ >= 2 * begun_ - 1;
  if (parts_.folder != nullptr && is_busy() && all_written && !commit_) start_commit();
}

void CheckpointWriter::finish() {
  if (!is_busy()) return;
  agree(parts_.world, parts_.stream, [&] { share_->wait(); });
  on_root(parts_.world, parts_.stream, [&] {
    if (!commit_) start_commit();
    commit_->wait();
  });
  known_ = 2 * begun_;
}

}  // namespace recombine
