#include "src/program/byte_text.hpp"

#include <array>
#include <cmath>

#include <fmt/core.h>

namespace recombine {

std::string byte_text(double bytes) {
  static constexpr std::array<const char*, 7> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  static constexpr double kFourDigits = 999.5;  // three digits would print it as 1e+03
  std::size_t unit = 0;
  for (; bytes >= kFourDigits && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return fmt::format("{:.3g} {}", bytes, kUnits[unit]);
}

std::string exact_byte_text(double bytes) {
  static constexpr double kExact = 0x1p53;  // a double of this size has no fraction
  if (bytes < 1000) return fmt::format("{:.0f} bytes", std::ceil(bytes));
  return bytes < kExact ? fmt::format("{:.0f} bytes ({})", std::ceil(bytes), byte_text(bytes)) : byte_text(bytes);
}

}  // namespace recombine
