#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/types.hpp"

/// A pack: neighbouring elements that one thread reads or writes in one access of up to 16 bytes.
namespace recombine::cuda {

inline constexpr int kWide = 4;  ///< elements of a pack, if the alignment allows it; otherwise a pack has 1
/// The same for bf16: 16 bytes in memory, and 32 bytes as f32 in the thread's registers.
inline constexpr int kWideBf16 = 8;
/// The width of packs for memory of this type.
template <class T>
inline constexpr int wide_of = sizeof(T) == 2 ? kWideBf16 : kWide;

constexpr std::size_t pack_alignment(std::size_t bytes) { return bytes < 16 ? bytes : 16; }

template <class T, int width>
struct alignas(pack_alignment(sizeof(T) * width)) Pack {
  T at[width];
};

/// The first `count` elements from `from` on; the rest are zero. @pre `from` has the alignment of a pack
template <int width, class T>
__device__ __forceinline__ Pack<T, width> load_pack(const T* from, int count) {
  if (count == width) return *reinterpret_cast<const Pack<T, width>*>(from);
  Pack<T, width> pack{};
#pragma unroll
  for (int e = 0; e < width; ++e) {
    if (e < count) pack.at[e] = from[e];
  }
  return pack;
}

template <int width, class T>
__device__ __forceinline__ void store_pack(T* to, const Pack<T, width>& pack, int count) {
  if (count == width) {
    *reinterpret_cast<Pack<T, width>*>(to) = pack;
    return;
  }
#pragma unroll
  for (int e = 0; e < width; ++e) {
    if (e < count) to[e] = pack.at[e];
  }
}

/// The number of elements in pack `index` of n elements.
template <int width>
__device__ __forceinline__ int pack_count(std::int64_t n, std::int64_t index) {
  const std::int64_t left = n - index * width;
  return left < width ? static_cast<int>(left) : width;
}

/// True if every row of a matrix is aligned for packs. Null pointers are aligned.
template <int width = kWide, class View>
bool packs_fit_matrix(const View& m) {
  const std::size_t bytes = static_cast<std::size_t>(size_of(m.type)) * width;
  return reinterpret_cast<std::uintptr_t>(m.data) % pack_alignment(bytes) == 0 && (m.rows <= 1 || m.ld % width == 0);
}

template <int width = kWide, class View>
bool packs_fit_vector(const View& v) {
  const std::size_t bytes = static_cast<std::size_t>(size_of(v.type)) * width;
  return reinterpret_cast<std::uintptr_t>(v.data) % pack_alignment(bytes) == 0;
}

}  // namespace recombine::cuda
