#pragma once

#include "tests/cuda_on_cpu/ptx/memory.hpp"

/// Instructions that the lanes of a warp execute together.
namespace emulated {

constexpr int kLanes = 32;

struct Shuffled {
  std::uint32_t value;
  bool in_range;  ///< true if the source lane is in the same segment; if not, the value is the lane's own
};

/// A segment's bounds, from the shuffle's operand `clamp` = mask of the segment << 8 | clamp.
struct Segment {
  Segment(const Thread& thread, std::uint32_t clamp) {
    const std::uint32_t mask = clamp >> 8 & 31;
    first = static_cast<int>(thread.lane & mask);
    last = static_cast<int>((thread.lane & mask) | (clamp & 31 & ~mask));
    inside = ~mask & 31;
  }
  int first;
  int last;
  std::uint32_t inside;  ///< mask of the lane bits that give the place in the segment
};

inline Shuffled shuffle_from(Thread& thread, std::uint32_t value, std::uint32_t mask, int source, bool in_range) {
  std::uint32_t all[kLanes];
  exchange(thread, mask, &value, sizeof value, all);
  if (!in_range) return {value, false};
  if (!(mask >> source & 1)) fail_in(thread, "a shuffle reads a lane that takes no part");
  return {all[source], true};
}

inline Shuffled shuffle_up(Thread& thread, std::uint32_t value, std::uint32_t by, std::uint32_t clamp,
                           std::uint32_t mask) {
  const int source = static_cast<int>(thread.lane) - static_cast<int>(by & 31);
  return shuffle_from(thread, value, mask, source, source >= Segment(thread, clamp).last);
}
inline Shuffled shuffle_down(Thread& thread, std::uint32_t value, std::uint32_t by, std::uint32_t clamp,
                             std::uint32_t mask) {
  const int source = static_cast<int>(thread.lane + (by & 31));
  return shuffle_from(thread, value, mask, source, source <= Segment(thread, clamp).last);
}
inline Shuffled shuffle_bfly(Thread& thread, std::uint32_t value, std::uint32_t by, std::uint32_t clamp,
                             std::uint32_t mask) {
  const int source = static_cast<int>(thread.lane ^ (by & 31));
  return shuffle_from(thread, value, mask, source, source <= Segment(thread, clamp).last);
}
inline Shuffled shuffle_idx(Thread& thread, std::uint32_t value, std::uint32_t lane, std::uint32_t clamp,
                            std::uint32_t mask) {
  const Segment segment(thread, clamp);
  const int source = segment.first | static_cast<int>(lane & segment.inside);
  return shuffle_from(thread, value, mask, source, source <= segment.last);
}

inline std::uint32_t vote_ballot(Thread& thread, bool value, std::uint32_t mask) {
  bool all[kLanes];
  exchange(thread, mask, &value, sizeof value, all);
  std::uint32_t result = 0;
  for (int lane = 0; lane < kLanes; ++lane)
    if ((mask >> lane & 1) && all[lane]) result |= 1U << lane;
  return result;
}
inline bool vote_any(Thread& thread, bool value, std::uint32_t mask) { return vote_ballot(thread, value, mask) != 0; }
inline bool vote_all(Thread& thread, bool value, std::uint32_t mask) {
  return vote_ballot(thread, value, mask) == mask;
}
inline bool vote_uni(Thread& thread, bool value, std::uint32_t mask) {
  const std::uint32_t votes = vote_ballot(thread, value, mask);
  return votes == 0 || votes == mask;
}

// wmma m16n16k16. PTX does not specify which lane holds which element of a fragment. Here each lane holds eight
// consecutive elements.

enum class Layout { row, col };
enum class Space { global, shared, generic };

/// A 16 x 16 matrix in memory.
struct Tile {
  std::uint64_t start;
  std::uint32_t stride;  ///< elements from one row (column) to the next
  Layout layout;
  Space space;
};

constexpr unsigned kTile = 16;
constexpr unsigned kElements = kTile * kTile / kLanes;  ///< elements per lane

inline std::uint64_t element(Thread& thread, const Tile& tile, unsigned i, std::uint64_t bytes) {
  const unsigned at = thread.lane * kElements + i;
  const std::uint64_t row = at / kTile;
  const std::uint64_t col = at % kTile;
  const std::uint64_t offset = tile.layout == Layout::row ? row * tile.stride + col : col * tile.stride + row;
  const std::uint64_t address = tile.start + offset * bytes;
  switch (tile.space) {
    case Space::global: return global_memory(thread, address, bytes, bytes);
    case Space::shared: return shared_memory(thread, address, bytes, bytes);
    case Space::generic: return generic_memory(thread, address, bytes, bytes);
  }
  return address;
}

/// The instruction requires that the tile is aligned to 32 bytes, and its stride to 16 bytes.
inline void check_tile(Thread& thread, const Tile& tile, std::uint64_t bytes) {
  if (tile.start % 32 != 0 || tile.stride * bytes % 16 != 0)
    fail_in(thread, "a wmma tile that does not begin at 32 bytes, or whose stride is no multiple of 16 bytes");
}

template <typename T>
[[gnu::noinline]] void load_fragment(Thread& thread, std::uint32_t* fragment, const Tile& tile) {
  check_tile(thread, tile, sizeof(T));
  for (unsigned i = 0; i < kElements; ++i) {
    const T value = load<T>(element(thread, tile, i, sizeof(T)));
    std::memcpy(reinterpret_cast<char*>(fragment) + i * sizeof(T), &value, sizeof(T));
  }
}

[[gnu::noinline]] inline void store_fragment(Thread& thread, const std::uint32_t* fragment, const Tile& tile) {
  check_tile(thread, tile, sizeof(std::uint32_t));
  for (unsigned i = 0; i < kElements; ++i)
    store<std::uint32_t>(element(thread, tile, i, sizeof(std::uint32_t)), fragment[i]);
}

/// d = a b + c   a, b bf16, c, d f32
[[gnu::noinline]] inline void multiply_fragments(Thread& thread, std::uint32_t* d, const std::uint32_t* a,
                                                 const std::uint32_t* b, const std::uint32_t* c) {
  constexpr unsigned kWords = kElements / 2;
  std::uint32_t mine[2 * kWords];
  std::memcpy(mine, a, sizeof mine / 2);
  std::memcpy(mine + kWords, b, sizeof mine / 2);
  Bf16 all[kLanes][2][kElements];
  exchange(thread, ~0U, mine, sizeof mine, all);
  const auto at = [&all](int matrix, unsigned row, unsigned col) {
    const unsigned index = row * kTile + col;
    return float{all[index / kElements][matrix][index % kElements]};
  };
  for (unsigned i = 0; i < kElements; ++i) {
    const unsigned row = (thread.lane * kElements + i) / kTile;
    const unsigned col = (thread.lane * kElements + i) % kTile;
    auto sum = std::bit_cast<float>(c[i]);
    for (unsigned k = 0; k < kTile; ++k) sum += at(0, row, k) * at(1, k, col);
    d[i] = std::bit_cast<std::uint32_t>(sum);
  }
}

}  // namespace emulated
