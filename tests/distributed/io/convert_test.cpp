#include "distributed/io/convert.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

TEST(Convert, RoundsOnceToNearestEven) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto bf16 = [](double x, auto type) {
    const auto from = static_cast<decltype(type)>(x);
    std::uint16_t to = 0;
    convert(as_matrix(vector_view(&from, 1), 1, 1), Transpose::no,
            {reinterpret_cast<std::byte*>(&to), 1, 1, 1, DataType::bf16});
    return to;
  };
  EXPECT_EQ(bf16(1 + 0x1p-8, 0.0F), 0x3F80);  // a tie: to even
  EXPECT_EQ(bf16(1 + 3 * 0x1p-8, 0.0F), 0x3F82);
  EXPECT_EQ(bf16(1 + 0x1p-8 + 0x1p-40, 0.0), 0x3F81);  // rounded to f32 first, it would be a tie
  EXPECT_EQ(bf16(1 + 3 * 0x1p-8 - 0x1p-40, 0.0), 0x3F81);
  EXPECT_EQ(bf16(-0.0, 0.0), 0x8000);
  EXPECT_EQ(bf16(-1e-300, 0.0), 0x8000);
  EXPECT_EQ(bf16(1e300, 0.0), 0x7F80);
  EXPECT_EQ(bf16(-infinity, 0.0F), 0xFF80);
  EXPECT_EQ(bf16(static_cast<double>(std::numeric_limits<float>::max()), 0.0F), 0x7F80);
  EXPECT_EQ(bf16(std::nan(""), 0.0F) & 0x7FFF, 0x7FC0);
  EXPECT_EQ(bf16(std::nan(""), 0.0) & 0x7FFF, 0x7FC0);
  const auto mostly_ones = std::bit_cast<float>(0x7FFFFFFFU);
  EXPECT_EQ(bf16(static_cast<double>(mostly_ones), 0.0F), 0x7FFF);
}

template <class To, class From>
To converted(From value, Element element) {
  To to{};
  convert({reinterpret_cast<const std::byte*>(&value), 1, 1, 1, element}, Transpose::no,
          as_matrix(vector_view(&to, 1), 1, 1));
  return to;
}

/// The bf16's value.
template <class From>
double bf16_of(From value, Element element) {
  std::uint16_t to = 0;
  convert({reinterpret_cast<const std::byte*>(&value), 1, 1, 1, element}, Transpose::no,
          {reinterpret_cast<std::byte*>(&to), 1, 1, 1, DataType::bf16});
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(to) << 16));
}

TEST(Convert, EveryHalfIsExact) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const auto mantissa = static_cast<double>(bits & 1023);
    double expected = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    if (exponent == 31) expected = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::nan("");
    const bool negative = bits >= 32768;
    for (const double found : {static_cast<double>(converted<float>(static_cast<std::uint16_t>(bits), Element::f2)),
                               converted<double>(static_cast<std::uint16_t>(bits), Element::f2)}) {
      ASSERT_EQ(std::signbit(found), negative) << bits;
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(found)) << bits;
      } else {
        ASSERT_EQ(found, negative ? -expected : expected) << bits;
      }
    }
  }
  EXPECT_EQ(bf16_of(std::uint16_t{0x3C01}, Element::f2), 1) << "1 + 2^-10";
}

template <class T>
void expect_limits(Element element) {
  for (const T value : {T{0}, T{1}, T{77}, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()}) {
    EXPECT_EQ(converted<float>(value, element), static_cast<float>(value));
    EXPECT_EQ(converted<double>(value, element), static_cast<double>(value));
  }
}

TEST(Convert, IntegersKeepTheirValues) {
  expect_limits<std::int8_t>(Element::i1);
  expect_limits<std::int16_t>(Element::i2);
  expect_limits<std::int32_t>(Element::i4);
  expect_limits<std::int64_t>(Element::i8);
  expect_limits<std::uint8_t>(Element::u1);
  expect_limits<std::uint16_t>(Element::u2);
  expect_limits<std::uint32_t>(Element::u4);
  expect_limits<std::uint64_t>(Element::u8);
  for (const int byte : {0, 1, 255}) {
    EXPECT_EQ(converted<float>(static_cast<std::uint8_t>(byte), Element::b1), byte == 0 ? 0 : 1);
  }
}

TEST(Convert, IntegersAreRoundedOnce) {
  EXPECT_EQ(converted<float>(std::int64_t{1 << 24}, Element::i8), 0x1p24F);
  EXPECT_EQ(converted<float>(std::int64_t{(1 << 24) + 1}, Element::i8), 0x1p24F) << "a tie: to even";
  EXPECT_EQ(converted<float>(std::int64_t{(1 << 24) + 3}, Element::i8), 0x1p24F + 4);
  EXPECT_EQ(converted<double>((std::int64_t{1} << 53) + 1, Element::i8), 0x1p53);
  // By way of f32 or f64, each of these would become a tie of bf16, and be rounded to the even neighbour.
  for (const int power : {30, 40, 60}) {
    const std::int64_t tie = (std::int64_t{1} << power) + (std::int64_t{1} << (power - 8));
    const double step = std::ldexp(1, power - 7);
    EXPECT_EQ(bf16_of(tie, Element::i8), std::ldexp(1, power));
    EXPECT_EQ(bf16_of(tie + 1, Element::i8), std::ldexp(1, power) + step);
    EXPECT_EQ(bf16_of(-tie - 1, Element::i8), -std::ldexp(1, power) - step);
    EXPECT_EQ(bf16_of(-tie + 1, Element::i8), -std::ldexp(1, power));
    EXPECT_EQ(bf16_of(static_cast<std::uint64_t>(tie + 1), Element::u8), std::ldexp(1, power) + step);
  }
  EXPECT_EQ(bf16_of(std::int32_t{(1 << 30) + (1 << 22) + 1}, Element::i4), 0x1p30 + 0x1p23);
  EXPECT_EQ(bf16_of(std::int16_t{257}, Element::i2), 256);
  EXPECT_EQ(bf16_of(std::numeric_limits<std::uint64_t>::max(), Element::u8), 0x1p64);
}

TEST(Convert, BytesAreSwapped) {
  const std::vector<std::uint8_t> bytes = {1, 2, 3, 4, 5, 6, 7, 8};
  const auto swapped = [&](Element element) {
    std::vector<std::uint8_t> copy = bytes;
    swap_bytes(reinterpret_cast<std::byte*>(copy.data()), 8 / size_of(element), element);
    return copy;
  };
  EXPECT_EQ(swapped(Element::u1), bytes);
  EXPECT_EQ(swapped(Element::f2), (std::vector<std::uint8_t>{2, 1, 4, 3, 6, 5, 8, 7}));
  EXPECT_EQ(swapped(Element::i4), (std::vector<std::uint8_t>{4, 3, 2, 1, 8, 7, 6, 5}));
  EXPECT_EQ(swapped(Element::f8), (std::vector<std::uint8_t>{8, 7, 6, 5, 4, 3, 2, 1}));
}

TEST(Convert, WrongShapesAreErrors) {
  std::int64_t from[6] = {};
  float to[6] = {};
  EXPECT_THROW(convert({reinterpret_cast<std::byte*>(from), 2, 3, 3, Element::i8}, Transpose::yes,
                       as_matrix(vector_view(to, 6), 2, 3)),
               Error);
}

}  // namespace
}  // namespace recombine
