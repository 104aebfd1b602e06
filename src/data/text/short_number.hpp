#pragma once

#include <cstdint>
#include <string_view>

namespace recombine {

/// The number, if it is written with at most 16 characters after its sign, all of them digits but for one decimal sign.
/// Eight characters are read at once, without a branch for each. NaN: it is another number, or none.
double short_number(std::string_view cell, char decimal);

/// 10^0 to 10^22: the powers of ten that f64 holds exactly. A whole number up to 2^53 times or divided by one of them is
/// rounded once, so it is exact (Clinger 1990).
constexpr int kMostExactPower = 22;
double power_of_ten(int exponent);
constexpr std::uint64_t kMostExact = std::uint64_t{1} << 53;

}  // namespace recombine
