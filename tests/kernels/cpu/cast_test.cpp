#include <bit>
#include <cmath>
#include <limits>

#include "kernels/error.hpp"
#include "tests/support/loops_here.hpp"
#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::loops_here;
using test::matrix_of;

constexpr std::size_t kValues = 1 << 16;  // all bit patterns of bf16
constexpr std::uint16_t kInfinity = 0x7f80;

float value_of(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
bool is_nan(std::uint16_t bits) { return (bits & 0x7fff) > kInfinity; }

std::vector<std::uint16_t> all_values() {
  std::vector<std::uint16_t> values(kValues);
  for (std::size_t i = 0; i < kValues; ++i) values[i] = static_cast<std::uint16_t>(i);
  return values;
}

/// The middle between a finite bf16 and the next one away from zero. After the largest bf16, "the next" is 2^128.
template <class T>
T middle_after(std::uint16_t bits) {
  const auto magnitude = static_cast<std::uint16_t>(bits & 0x7fff);
  const double next = magnitude + 1 == kInfinity ? 0x1p128 : static_cast<double>(value_of(magnitude + 1));
  const double middle = (static_cast<double>(value_of(magnitude)) + next) / 2;
  return static_cast<T>((bits & 0x8000) != 0 ? -middle : middle);
}

auto narrowing(const cpu::Loops& loops, float) { return loops.cast.f32_to_bf16; }
auto narrowing(const cpu::Loops& loops, double) { return loops.cast.f64_to_bf16; }

template <class T>
void expect_nearest_even() {
  std::vector<T> x;
  std::vector<std::uint16_t> expected;
  for (const std::uint16_t bits : all_values()) {
    if ((bits & 0x7fff) >= kInfinity) continue;
    const auto next = static_cast<std::uint16_t>(bits + 1);
    const T middle = middle_after<T>(bits);
    const T away = std::copysign(std::numeric_limits<T>::infinity(), middle);
    x.insert(x.end(), {std::nextafter(middle, T{0}), middle, std::nextafter(middle, away)});
    expected.insert(expected.end(), {bits, bits % 2 == 0 ? bits : next, next});
  }
  for (const cpu::Loops* loops : loops_here()) {
    std::vector<std::uint16_t> narrow(x.size());
    narrowing(*loops, T{})(x.data(), narrow.data(), static_cast<std::int64_t>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      ASSERT_EQ(narrow[i], expected[i]) << loops->instruction_set << " " << x[i];
    }
  }
}

TEST(CastLoopsTest, RoundsToNearestAndTiesToEven) {
  expect_nearest_even<float>();
  expect_nearest_even<double>();
}

TEST(CastLoopsTest, EveryBf16SurvivesARoundTrip) {
  const auto all = all_values();
  for (const cpu::Loops* loops : loops_here()) {
    std::vector<float> single(kValues);
    std::vector<double> wide(kValues);
    std::vector<std::uint16_t> from_single(kValues);
    std::vector<std::uint16_t> from_double(kValues);
    loops->cast.bf16_to_f32(all.data(), single.data(), kValues);
    loops->cast.bf16_to_f64(all.data(), wide.data(), kValues);
    loops->cast.f32_to_bf16(single.data(), from_single.data(), kValues);
    loops->cast.f64_to_bf16(wide.data(), from_double.data(), kValues);
    for (std::size_t i = 0; i < kValues; ++i) {
      if (is_nan(all[i])) {
        ASSERT_TRUE(std::isnan(single[i]) && std::isnan(wide[i]) && is_nan(from_single[i]) && is_nan(from_double[i]));
        continue;
      }
      ASSERT_EQ(std::bit_cast<std::uint32_t>(single[i]), static_cast<std::uint32_t>(all[i]) << 16);
      ASSERT_EQ(wide[i], static_cast<double>(single[i]));
      ASSERT_EQ(from_single[i], all[i]);
      ASSERT_EQ(from_double[i], all[i]);
    }
  }
}

TEST(CastLoopsTest, ANaNStaysANaN) {
  const std::vector<std::uint32_t> bits = {0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff, 0x7fc00000};
  for (const cpu::Loops* loops : loops_here()) {
    for (const std::uint32_t b : bits) {
      const std::vector<float> x(19, std::bit_cast<float>(b));
      std::vector<double> wide(19);
      std::vector<std::uint16_t> narrow(19);
      loops->cast.f32_to_bf16(x.data(), narrow.data(), 19);
      loops->cast.f32_to_f64(x.data(), wide.data(), 19);
      for (std::size_t i = 0; i < 19; ++i) ASSERT_TRUE(is_nan(narrow[i]) && std::isnan(wide[i]));
    }
    const std::vector<double> wide(19, std::bit_cast<double>(0x7ff0000000000001));  // its payload is lost in f32
    std::vector<std::uint16_t> narrow(19);
    std::vector<float> single(19);
    loops->cast.f64_to_bf16(wide.data(), narrow.data(), 19);
    loops->cast.f64_to_f32(wide.data(), single.data(), 19);
    for (std::size_t i = 0; i < 19; ++i) ASSERT_TRUE(is_nan(narrow[i]) && std::isnan(single[i]));
  }
}

class CastTest : public test::MathTest {
 protected:
  /// Casts small integers, which are exact in every type, there and back. Rows have `spare` unused columns.
  template <class From, class To>
  void check(std::int64_t rows, std::int64_t cols, std::int64_t spare) {
    const std::int64_t ld = cols + spare;
    std::vector<double> x(static_cast<std::size_t>(rows * ld));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i % 200) - 100;
    std::vector<From> from(x.size());
    std::vector<To> to(x.size());
    std::vector<double> back(x.size(), 777);
    const auto part = [&](auto& v) { return matrix_of(v, rows, ld).block(0, 0, rows, cols); };
    math_.cast(*stream_, matrix_of(x, rows, ld), matrix_of(from, rows, ld));
    math_.cast(*stream_, part(from), part(to));
    math_.cast(*stream_, part(to), part(back));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const bool inside = static_cast<std::int64_t>(i) % ld < cols;
      ASSERT_EQ(back[i], inside ? x[i] : 777) << i;
    }
  }

  template <class From>
  void check_from() {
    for (const auto& [rows, cols, spare] : {std::tuple{0, 5, 0}, {1, 1, 0}, {3, 65, 0}, {7, 33, 5}, {200, 300, 1}}) {
      check<From, float>(rows, cols, spare);
      check<From, double>(rows, cols, spare);
      check<From, BFloat16>(rows, cols, spare);
    }
  }
};

TEST_F(CastTest, CastsBetweenEveryPairOfTypes) {
  check_from<float>();
  check_from<double>();
  check_from<BFloat16>();
}

TEST_F(CastTest, OtherTypesAndShapesAreRefused) {
  std::vector<float> x(6);
  std::vector<std::int32_t> integers(6);
  EXPECT_THROW(math_.cast(*stream_, matrix_of(x, 2, 3), matrix_of(integers, 2, 3)), Error);
  EXPECT_THROW(math_.cast(*stream_, matrix_of(x, 2, 3), matrix_of(x, 3, 2)), Error);
}

}  // namespace
}  // namespace recombine
