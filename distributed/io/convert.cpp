#include "distributed/io/convert.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/error.hpp"

namespace recombine {

namespace {

float rounded_to_odd(double x) {
  const auto nearest = static_cast<float>(x);
  if (static_cast<double>(nearest) == x || std::isnan(x)) return nearest;
  auto bits = std::bit_cast<std::uint32_t>(nearest);
  if (std::abs(static_cast<double>(nearest)) > std::abs(x)) --bits;
  return std::bit_cast<float>(bits | 1U);
}

BFloat16 to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = bits + 0x7FFFU + (bits >> 16 & 1U);
  // A NaN stays NaN: rounding could carry into its exponent and sign, and make it infinity or zero.
  return {static_cast<std::uint16_t>((x == x ? rounded : bits | 0x400000U) >> 16)};
}

float to_f32(BFloat16 x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16); }

/// Elements of files that C++ has no type for.
struct Half {
  std::uint16_t bits;
};
struct Truth {
  std::uint8_t byte;
};

/// Moves the exponent and the mantissa to their places in an f32, and multiplies by the ratio of the exponents' biases.
/// The result is exact, also for subnormal numbers. Signed integers without branches: the compiler vectorizes it.
float to_f32(Half x) {
  constexpr std::int32_t kInfinity = 0x7C00 << 13;
  const std::int32_t extended = static_cast<std::int16_t>(x.bits);
  const std::int32_t magnitude = (extended & 0x7FFF) << 13;
  std::int32_t bits = std::bit_cast<std::int32_t>(std::bit_cast<float>(magnitude) * 0x1p112F);
  bits |= magnitude >= kInfinity ? 0x7F800000 : 0;
  return std::bit_cast<float>(bits | (extended & std::numeric_limits<std::int32_t>::min()));
}

/// A double that rounds to the same bf16: beyond 2^53 the lowest bits are replaced by one that says whether any was set.
template <class Integer>
double to_odd_double(Integer x) {
  constexpr auto kLow = (Integer{1} << 12) - 1;
  const bool exact = x < Integer{1} << 53 && (!std::is_signed_v<Integer> || x > -(Integer{1} << 53));
  return static_cast<double>(exact || (x & kLow) == 0 ? x : (x & ~kLow) | Integer{1} << 11);
}

template <class To, class From>
To cast(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<From, BFloat16> || std::is_same_v<From, Half>) {
    return cast<To>(to_f32(x));
  } else if constexpr (std::is_same_v<From, Truth>) {
    return cast<To>(x.byte == 0 ? 0.0F : 1.0F);
  } else if constexpr (std::is_same_v<To, BFloat16> && std::is_integral_v<From> && sizeof(From) == 8) {
    return to_bf16(rounded_to_odd(to_odd_double(x)));
  } else if constexpr (std::is_same_v<To, BFloat16> && std::is_integral_v<From> && sizeof(From) == 4) {
    return to_bf16(rounded_to_odd(static_cast<double>(x)));
  } else if constexpr (std::is_same_v<To, BFloat16> && std::is_integral_v<From>) {
    return to_bf16(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, BFloat16> && std::is_same_v<From, double>) {
    return to_bf16(rounded_to_odd(x));  // to odd: two roundings to nearest can differ from one
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return to_bf16(x);
  } else {
    return static_cast<To>(x);
  }
}

/// Transposes through a small square in the cache, so that both matrices are accessed in runs along a row: rows that
/// are a power of two apart would evict each other from the cache.
template <class To, class From>
void transpose_tile(const From* from, std::int64_t from_ld, To* to, std::int64_t to_ld, std::int64_t rows,
                    std::int64_t cols) {
  constexpr std::int64_t kPitch = 33;
  std::array<To, 32 * kPitch> tile;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) {
      tile[static_cast<std::size_t>(j * kPitch + i)] = cast<To>(from[i * from_ld + j]);
    }
  }
  for (std::int64_t j = 0; j < cols; ++j) std::copy_n(tile.data() + j * kPitch, rows, to + j * to_ld);
}

template <class To, class From, class Matrix>
void convert_as(const Matrix& from, Transpose transpose, MatrixView to) {
  const auto* const x = reinterpret_cast<const From*>(from.data);
  auto* const y = reinterpret_cast<To*>(to.data);
  if (transpose == Transpose::no) {
    for (std::int64_t i = 0; i < from.rows; ++i) {
      std::transform(x + i * from.ld, x + i * from.ld + from.cols, y + i * to.ld, cast<To, From>);
    }
    return;
  }
  for (std::int64_t j = 0; j < from.cols; j += 32) {
    for (std::int64_t i = 0; i < from.rows; i += 32) {
      transpose_tile(x + i * from.ld + j, from.ld, y + j * to.ld + i, to.ld, std::min<std::int64_t>(32, from.rows - i),
                     std::min<std::int64_t>(32, from.cols - j));
    }
  }
}

template <class From, class Matrix>
void convert_from(const Matrix& from, Transpose transpose, MatrixView to) {
  switch (to.type) {
    case DataType::f32: return convert_as<float, From>(from, transpose, to);
    case DataType::f64: return convert_as<double, From>(from, transpose, to);
    case DataType::bf16: return convert_as<BFloat16, From>(from, transpose, to);
    default: throw Error(fmt::format("no conversion to {}", name_of(to.type)));
  }
}

template <class Matrix>
void require_fits(const Matrix& from, Transpose transpose, MatrixView to) {
  const bool fits = transpose == Transpose::no ? from.rows == to.rows && from.cols == to.cols
                                               : from.rows == to.cols && from.cols == to.rows;
  require(fits, "conversion of [{},{}] into [{},{}]", from.rows, from.cols, to.rows, to.cols);
}

}  // namespace

void convert(ConstMatrixView from, Transpose transpose, MatrixView to) {
  require_fits(from, transpose, to);
  switch (from.type) {
    case DataType::f32: return convert_from<float>(from, transpose, to);
    case DataType::f64: return convert_from<double>(from, transpose, to);
    case DataType::bf16: return convert_from<BFloat16>(from, transpose, to);
    default: throw Error(fmt::format("no conversion from {}", name_of(from.type)));
  }
}

void convert(const ElementMatrix& from, Transpose transpose, MatrixView to) {
  require_fits(from, transpose, to);
  switch (from.element) {
    case Element::b1: return convert_from<Truth>(from, transpose, to);
    case Element::i1: return convert_from<std::int8_t>(from, transpose, to);
    case Element::i2: return convert_from<std::int16_t>(from, transpose, to);
    case Element::i4: return convert_from<std::int32_t>(from, transpose, to);
    case Element::i8: return convert_from<std::int64_t>(from, transpose, to);
    case Element::u1: return convert_from<std::uint8_t>(from, transpose, to);
    case Element::u2: return convert_from<std::uint16_t>(from, transpose, to);
    case Element::u4: return convert_from<std::uint32_t>(from, transpose, to);
    case Element::u8: return convert_from<std::uint64_t>(from, transpose, to);
    case Element::f2: return convert_from<Half>(from, transpose, to);
    case Element::f4: return convert_from<float>(from, transpose, to);
    case Element::f8: return convert_from<double>(from, transpose, to);
  }
}

}  // namespace recombine
