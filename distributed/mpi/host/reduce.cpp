#include "distributed/mpi/host/reduce.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels/error.hpp"

namespace recombine::mpi {

namespace {

constexpr std::int64_t kBlock = 2048;  ///< elements; with more than four terms, the sums between passes stay in L1

struct Sum {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {  // sums of fingerprints wrap around; signed overflow is undefined in C++
      using Bits = std::make_unsigned_t<T>;
      return static_cast<T>(static_cast<Bits>(a) + static_cast<Bits>(b));
    } else {
      return static_cast<T>(a + b);
    }
  }
};
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};

// No iteration reads what another iteration writes: `to` is one of the terms, or overlaps none of them.
template <class T, class Op>
void combine(T* to, const T* a, const T* b, std::int64_t n, Op op) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) to[i] = op(a[i], b[i]);
}
template <class T, class Op>
void combine(T* to, const T* a, const T* b, const T* c, std::int64_t n, Op op) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) to[i] = op(op(a[i], b[i]), c[i]);
}
template <class T, class Op>
void combine(T* to, const T* a, const T* b, const T* c, const T* d, std::int64_t n, Op op) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) to[i] = op(op(op(a[i], b[i]), c[i]), d[i]);
}

/// One block: the first pass adds up to four terms, each later pass up to three. `sum` does not overlap the terms.
template <class T, class Op>
void combine_all(T* sum, std::span<const std::byte* const> from, std::int64_t begin, std::int64_t n, Op op) {
  const auto term = [&](std::size_t r) { return reinterpret_cast<const T*>(from[r]) + begin; };
  std::size_t r = 0;
  const T* first = term(r++);
  while (r < from.size()) {
    switch (from.size() - r) {
      case 1: combine(sum, first, term(r), n, op); break;
      case 2: combine(sum, first, term(r), term(r + 1), n, op); break;
      default: combine(sum, first, term(r), term(r + 1), term(r + 2), n, op); break;
    }
    r += std::min<std::size_t>(3, from.size() - r);
    first = sum;
  }
}

template <class T, class Op>
void reduce_as(T* to, std::int64_t size, std::span<const std::byte* const> from, Op op) {
  if (from.size() <= 4) return combine_all(to, from, 0, size, op);
  alignas(64) T sum[kBlock];  // `to` may be a term that a later pass still needs
  for (std::int64_t begin = 0; begin < size; begin += kBlock) {
    const std::int64_t n = std::min(kBlock, size - begin);
    combine_all(sum, from, begin, n, op);
    std::memcpy(to + begin, sum, static_cast<std::size_t>(n) * sizeof(T));
  }
}

template <class T>
void reduce_as(VectorView to, std::span<const std::byte* const> from, Reduction reduction) {
  if (reduction == Reduction::sum) return reduce_as(to.as<T>(), to.size, from, Sum{});
  reduce_as(to.as<T>(), to.size, from, Max{});
}

}  // namespace

void reduce(VectorView to, std::span<const std::byte* const> from, Reduction reduction) {
  switch (to.type) {
    case DataType::f32: return reduce_as<float>(to, from, reduction);
    case DataType::f64: return reduce_as<double>(to, from, reduction);
    case DataType::i64: return reduce_as<std::int64_t>(to, from, reduction);
    case DataType::i32: return reduce_as<std::int32_t>(to, from, reduction);
    case DataType::u8: return reduce_as<std::uint8_t>(to, from, reduction);
    case DataType::bf16: break;
  }
  throw Error(fmt::format("cannot reduce {}; expected f32, f64 or an integer type", name_of(to.type)));
}

}  // namespace recombine::mpi
