#include "distributed/mpi/host/copy.hpp"

#include <cstdint>
#include <cstring>

#include <emmintrin.h>
#include <mpi.h>

namespace recombine::mpi {

namespace {

/// Shorter parts never bypass the cache: they are read at once, and reading from a cache is faster.
constexpr std::int64_t kStreamFrom = 8192;
constexpr double kSlow = 10e9;  ///< bytes/s of cached stores; to a core's own cache they have at least 25e9
constexpr int kTimedEvery = 32;

template <class Store>
void copy_lines(std::byte* to, ConstVectorView from, const Store& store) {
  const std::byte* at = from.data;
  const std::byte* const end = at + from.bytes();
  for (; end - at >= 64; at += 64, to += 64) {
    const auto* const line = reinterpret_cast<const __m128i*>(at);
    auto* const place = reinterpret_cast<__m128i*>(to);
    const __m128i a = _mm_loadu_si128(line), b = _mm_loadu_si128(line + 1);
    const __m128i c = _mm_loadu_si128(line + 2), d = _mm_loadu_si128(line + 3);
    store(place, a);
    store(place + 1, b);
    store(place + 2, c);
    store(place + 3, d);
  }
  if (at != end) std::memcpy(to, at, static_cast<std::size_t>(end - at));
}

void copy_cached(std::byte* to, ConstVectorView from) {
  copy_lines(to, from, [](__m128i* place, __m128i value) { _mm_storeu_si128(place, value); });
}

}  // namespace

void SlotWriter::write(std::byte* slot, ConstVectorView from) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(slot) % sizeof(__m128i) == 0;
  if (from.bytes() < kStreamFrom || !aligned) return copy_cached(slot, from);
  if (--until_timed_ < 0) return write_cached_and_time(slot, from);
  if (way_ == Way::cached) return copy_cached(slot, from);
  copy_lines(slot, from, [](__m128i* place, __m128i value) { _mm_stream_si128(place, value); });
  _mm_sfence();  // otherwise these stores may become visible after the counter that publishes them
}

void SlotWriter::write_cached_and_time(std::byte* slot, ConstVectorView from) {
  const double start = MPI_Wtime();
  copy_cached(slot, from);
  const double seconds = MPI_Wtime() - start;
  way_ = seconds * kSlow > static_cast<double>(from.bytes()) ? Way::past_the_cache : Way::cached;
  until_timed_ = kTimedEvery;
}

void take_from_slot(std::byte* to, ConstVectorView slot) { copy_cached(to, slot); }

}  // namespace recombine::mpi
