#include "src/nn/row_stream.hpp"

#include <cstring>
#include <utility>

#include "kernels/error.hpp"

namespace recombine {

namespace {

std::vector<std::int64_t> rows_of(const RowStream::Batch& batch) {
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(batch.rows()));
  for (const Range& range : batch.positions) {
    for (std::int64_t p = range.begin; p < range.end; ++p) rows.push_back(batch.order ? (*batch.order)(p) : p);
  }
  return rows;
}

void read(const RowStream::Batch& batch, std::byte* to) {
  const std::vector<std::int64_t> rows = rows_of(batch);
  const ConstMatrixView& features = batch.table.features;
  if (batch.table.stored) {
    const auto size = rows.size() * static_cast<std::size_t>(features.cols);
    batch.table.stored->read_rows(rows, {reinterpret_cast<float*>(to), size});
    return;
  }
  const std::int64_t bytes = features.cols * size_of(features.type);
  for (const std::int64_t row : rows) {
    std::memcpy(to, features.data + row * bytes, static_cast<std::size_t>(bytes));
    to += bytes;
  }
}

}  // namespace

std::int64_t RowStream::Batch::rows() const {
  std::int64_t sum = 0;
  for (const Range& range : positions) sum += range.size();
  return sum;
}

bool RowStream::Batch::operator==(const Batch& other) const {
  return table.stored == other.table.stored && table.features.data == other.table.features.data &&
         order == other.order && positions == other.positions;
}

RowStream::RowStream(RankContext& context, const Size& size) : context_(context) {
  Device& device = context.device();
  const std::int64_t bytes = size.rows * size.row_bytes;
  for (Slot& slot : slots_) {
    slot.device = Buffer(device, DataType::u8, bytes);
    if (device.kind() != DeviceKind::cpu) slot.host = Buffer::on_host(device, DataType::u8, bytes);
  }
  if (device.kind() != DeviceKind::cpu) copies_ = device.make_stream(StreamUse::background);
}

RowStream::Arrived RowStream::bring(const Batch& batch, const Batch& next) {
  const ConstMatrixView& features = batch.table.features;
  const auto rows = batch.rows();
  const std::int64_t bytes = rows * features.cols * size_of(features.type);
  require(bytes <= slots_[0].device.view().size, "a batch of {} bytes; expected at most {}", bytes,
          slots_[0].device.view().size);
  Slot& slot = slots_[1 - current_];
  reader_.wait();
  if (batch != expected_) read(batch, free_memory(slot));
  if (copies_) copy_to_device(slot, bytes);

  Slot& other = slots_[current_];
  current_ = 1 - current_;
  expected_ = next;
  if (next.rows() > 0) reader_.start([this, to = free_memory(other)] { read(expected_, to); });
  return {{slot.device.view().data, rows, features.cols, features.cols, features.type}, static_cast<int>(current_)};
}

std::byte* RowStream::free_memory(Slot& slot) {
  if (!copies_) return slot.device.view().data;  // a CPU computes inline: it has used the rows
  if (slot.copied) std::exchange(slot.copied, nullptr)->synchronize();
  return slot.host.view().data;
}

void RowStream::copy_to_device(Slot& slot, std::int64_t bytes) {
  slots_[current_].used = context_.compute().record();
  if (slot.used) copies_->wait(std::exchange(slot.used, nullptr));
  context_.device().copy(*copies_, slot.device.view().range(0, bytes), slot.host.view().range(0, bytes));
  slot.copied = copies_->record();
  context_.compute().wait(slot.copied);
}

}  // namespace recombine
