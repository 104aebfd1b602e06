#include "src/data/text/short_number.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <limits>

namespace recombine {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kWord = 8;                     // characters
constexpr std::uint64_t kOnes = 0x0101010101010101;  // times c: the character c in all places

std::uint64_t load(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The first 8 and the next 8 characters of a text, which has 1 to 16; zeros after its end. Reads nothing outside the text.
struct Words {
  std::uint64_t first = 0, second = 0;
};

Words words_of(const char* text, std::size_t size) {
  Words words;
  if (size >= kWord) {
    words.first = load(text);
    const std::size_t bits = 4 * (2 * kWord - size);  // twice: a shift by 64 is undefined
    words.second = load(text + size - kWord) >> bits >> bits;
    return words;
  }
  if (size >= 4) {
    std::uint32_t low = 0, high = 0;
    std::memcpy(&low, text, sizeof low);
    std::memcpy(&high, text + size - sizeof high, sizeof high);
    words.first = low | static_cast<std::uint64_t>(high) << 8 * (size - sizeof high);
    return words;
  }
  const auto place = [&](std::size_t i) { return std::uint64_t{static_cast<std::uint8_t>(text[i])} << 8 * i; };
  words.first = place(0) | place(size / 2) | place(size - 1);  // 1 to 3 characters
  return words;
}

/// A high bit for the first place of `c` in the word, and perhaps for later places.
std::uint64_t places_of(char c, std::uint64_t word) {
  const std::uint64_t other = word ^ kOnes * static_cast<std::uint8_t>(c);
  return (other - kOnes) & ~other & kOnes * 0x80;
}

/// The word without the character at `place`: those after it move forward.
std::uint64_t without(std::uint64_t word, int place) {
  const std::uint64_t before = (std::uint64_t{1} << 8 * place) - 1;
  return (word & before) | (word >> 8 & ~before);
}

/// Takes the decimal sign out, and returns its place; -1: there is none.
int take_sign(Words& words, char decimal) {
  if (const std::uint64_t places = places_of(decimal, words.first)) {
    const int place = std::countr_zero(places) / 8;
    words.first = without(words.first, place) & ~(std::uint64_t{0xFF} << 56);
    words.first |= words.second << 56;
    words.second >>= 8;
    return place;
  }
  const std::uint64_t places = places_of(decimal, words.second);
  if (places == 0) return -1;
  const int place = std::countr_zero(places) / 8;
  words.second = without(words.second, place) & ~(std::uint64_t{0xFF} << 56);
  return place + static_cast<int>(kWord);
}

/// Moves the first `count` characters, 1 to 8, to the end of the word, after characters 0.
std::uint64_t at_end(std::uint64_t word, int count) {
  const int bits = 8 * (static_cast<int>(kWord) - count);
  return word << bits | (kOnes * '0' & ((std::uint64_t{1} << bits) - 1));
}

bool all_digits(std::uint64_t word) {
  static constexpr std::uint64_t kHigh = kOnes * 0xF0;
  return ((word & kHigh) | ((word + kOnes * 6) & kHigh) >> 4) == kOnes * 0x33;
}

/// The number of eight digits: pairs, then fours, then eights (Lemire 2018).
std::uint64_t value_of(std::uint64_t word) {
  static constexpr std::uint64_t kPairs = 0x000000FF000000FF;
  word -= kOnes * '0';
  word = word * 10 + (word >> 8);
  return ((word & kPairs) * (100 + (std::uint64_t{1000000} << 32)) +
          (word >> 16 & kPairs) * (1 + (std::uint64_t{10000} << 32))) >>
         32;
}

constexpr std::array<double, kMostExactPower + 1> kPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                             1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                             1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double power_of_ten(int exponent) { return kPowers[static_cast<std::size_t>(exponent)]; }

double short_number(std::string_view cell, char decimal) {
  static constexpr std::array<std::uint64_t, kWord + 1> kShifts = {1,      10,      100,      1000,     10000,
                                                                   100000, 1000000, 10000000, 100000000};
  if (cell.empty()) return kNone;
  const bool minus = cell[0] == '-';
  const auto sign = static_cast<std::size_t>(static_cast<int>(minus) | static_cast<int>(cell[0] == '+'));
  const std::size_t size = cell.size() - sign;
  if (size == 0 || size > 2 * kWord) return kNone;
  Words words = words_of(cell.data() + sign, size);
  const int place = take_sign(words, decimal);
  const int count = static_cast<int>(size) - (place >= 0 ? 1 : 0);
  if (count == 0) return kNone;
  const int first_count = count < static_cast<int>(kWord) ? count : static_cast<int>(kWord);
  const std::uint64_t first = at_end(words.first, first_count);
  if (!all_digits(first)) return kNone;
  std::uint64_t value = value_of(first);
  if (count > first_count) {
    const std::uint64_t second = at_end(words.second, count - first_count);
    if (!all_digits(second)) return kNone;
    value = value * kShifts[static_cast<std::size_t>(count - first_count)] + value_of(second);
    if (value > kMostExact) return kNone;
  }
  static constexpr std::array kSigns = {1.0, -1.0};  // a branch would often be predicted wrongly
  const double whole = static_cast<double>(static_cast<std::int64_t>(value)) * kSigns[minus ? 1 : 0];
  return place >= 0 ? whole / kPowers[static_cast<std::size_t>(count - place)] : whole;
}

}  // namespace recombine
