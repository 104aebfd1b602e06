#include "src/nn/scattered_read.hpp"

#include <algorithm>
#include <numeric>

#include <fcntl.h>
#include <limits.h>

namespace recombine {

ScatteredRead::ScatteredRead(std::span<const std::int64_t> rows, std::int64_t row_bytes, std::byte* to) {
  std::vector<std::int64_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  const auto row_of = [&](std::int64_t i) { return rows[static_cast<std::size_t>(i)]; };
  if (!std::ranges::is_sorted(rows)) std::ranges::sort(order, {}, row_of);
  for (const std::int64_t i : order) {
    std::byte* const into = to + i * row_bytes;
    const std::int64_t offset = row_of(i) * row_bytes;
    const bool is_next = !runs_.empty() && runs_.back().offset + runs_.back().bytes == offset;
    if (!is_next || (runs_.back().count == IOV_MAX)) runs_.push_back({offset, 0, pieces_.size(), 0});
    Run& run = runs_.back();
    iovec* const last = run.count > 0 ? &pieces_.back() : nullptr;
    if (last != nullptr && static_cast<std::byte*>(last->iov_base) + last->iov_len == into) {
      last->iov_len += static_cast<std::size_t>(row_bytes);
    } else {
      pieces_.push_back({into, static_cast<std::size_t>(row_bytes)});
      ++run.count;
    }
    run.bytes += row_bytes;
  }
}

void ScatteredRead::run(const FileDescriptor& file, const Read& read) const {
  std::vector<const Run*> late;
  for (const Run& run : runs_) {
    const auto count = static_cast<int>(run.count);
    if (preadv2(file.get(), &pieces_[run.begin], count, run.offset, RWF_NOWAIT) == run.bytes) continue;
    posix_fadvise(file.get(), run.offset, run.bytes, POSIX_FADV_WILLNEED);
    late.push_back(&run);
  }
  for (const Run* run : late) read_late(*run, read);
}

void ScatteredRead::read_late(const Run& run, const Read& read) const {
  std::int64_t offset = run.offset;
  for (std::size_t p = run.begin; p < run.begin + run.count; ++p) {
    const auto bytes = static_cast<std::int64_t>(pieces_[p].iov_len);
    read(static_cast<std::byte*>(pieces_[p].iov_base), bytes, offset);
    offset += bytes;
  }
}

}  // namespace recombine
