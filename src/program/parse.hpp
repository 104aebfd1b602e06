#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/error.hpp"

namespace recombine {

/// `text` without spaces, tabs and carriage returns at its two ends.
std::string_view trimmed(std::string_view text);

/// `text` with the letters A to Z in lower case.
std::string in_small_letters(std::string_view text);

/// The whole numbers that an option accepts.
struct Whole {
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::string to_string() const;  ///< for a message: "a whole number from 1 to 4096"
};

/// The number in `text`; none if `text` is not a whole number within `bounds`.
std::optional<std::int64_t> whole_from(std::string_view text, Whole bounds);

/// @throws InputError that names `option`, unless all of `text` is a whole number within `bounds`
std::int64_t parse_whole(std::string_view option, const std::string& text, Whole bounds);

/// A finite number >= `least`. @throws InputError
double parse_real(std::string_view option, const std::string& text, double least);

/// Bytes from "2GiB", "512M" (K, M, G, T: powers of 1024, like KiB), "1.5GB" or a number of bytes; at least 1, less
/// than 2^63. @throws InputError
double parse_bytes(std::string_view option, const std::string& text);

/// Seconds from "90s", "55m", "2h", "1h30m" or "1d12h": whole numbers, each with its unit, the largest unit first; at
/// least 1 s, at most 10 years. @throws InputError
double parse_duration(std::string_view option, const std::string& text);

/// One or more numbers that are finite as f32: "0.5,0.7". @throws InputError
std::vector<float> parse_floats(std::string_view option, const std::string& text);

/// "1024,1024" or "". @throws InputError
std::vector<std::int64_t> parse_widths(std::string_view option, const std::string& text);

/// The value of the word that `text` is. @throws InputError that lists the words, if it is none of them
template <class T>
T parse_word(std::string_view option, const std::string& text,
             std::initializer_list<std::pair<std::string_view, T>> words) {
  std::string all;
  for (const auto& [word, value] : words) {
    if (text == word) return value;
    all += (all.empty() ? "" : ", ") + std::string(word);
  }
  throw InputError(fmt::format("--{} '{}': expected one of {}", option, text, all));
}

}  // namespace recombine
