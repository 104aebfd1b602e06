#include "kernels/cuda/staging_ring.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/ceil_div.hpp"
#include "kernels/cuda/cuda_calls.hpp"

namespace recombine::cuda {

namespace {

constexpr std::int64_t kRing = std::int64_t{16} << 20;
constexpr std::int64_t kLargestPiece = std::int64_t{2} << 20;  // long enough for the full speed of the bus
constexpr std::int64_t kAlignment = 64;

}  // namespace

StagingRing::~StagingRing() {
  if (ring_) memory_.deallocate_pinned(ring_);
}

void StagingRing::copy(CudaStream& stream, std::byte* to, const std::byte* from, std::int64_t bytes) {
  if (!ring_) ring_ = memory_.allocate_pinned(kRing);
  for (std::int64_t done = 0; done < bytes; done += kLargestPiece) {
    const std::int64_t piece = std::min(kLargestPiece, bytes - done);
    const auto size = static_cast<std::size_t>(piece);
    const std::int64_t begin = reserve(piece);
    std::byte* const staged = ring_ + begin % kRing;
    std::memcpy(staged, from + done, size);
    check(cudaMemcpyAsync(to + done, staged, size, cudaMemcpyDefault, stream.get()), "cudaMemcpyAsync");
    pieces_.push_back({begin, stream.record()});
  }
}

std::int64_t StagingRing::reserve(std::int64_t bytes) {
  std::int64_t begin = round_up(next_, kAlignment);
  if (begin % kRing + bytes > kRing) begin = round_up(begin, kRing);
  next_ = begin + bytes;
  while (!pieces_.empty()) {
    const Piece& oldest = pieces_.front();
    if (!oldest.copied->done()) {
      if (oldest.begin >= next_ - kRing) break;  // it does not overlap the new piece
      oldest.copied->synchronize();
    }
    pieces_.pop_front();
  }
  return begin;
}

}  // namespace recombine::cuda
