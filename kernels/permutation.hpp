#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/random.hpp"

namespace recombine {

/// A shuffled order of 0 .. size-1, computed position by position without a table, so that every rank and device has the
/// same one. A Feistel network permutes the numbers below the next power of four; a result >= size is permuted again
/// until it is smaller (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002).
class Permutation {
 public:
  constexpr Permutation() = default;
  /// @pre size >= 0
  constexpr Permutation(std::int64_t size, std::uint64_t seed, std::uint64_t epoch) : size_(size) {
    while ((std::uint64_t{1} << (2 * half_bits_)) < static_cast<std::uint64_t>(size)) ++half_bits_;
    for (std::size_t round = 0; round < kRounds; ++round) {
      const auto words = random_words(seed, kTensor, epoch * kRounds + round);
      keys_[round] = std::uint64_t{words[0]} << 32 | words[1];
    }
  }

  /// @pre 0 <= position < size
  constexpr std::int64_t operator()(std::int64_t position) const {
    auto x = static_cast<std::uint64_t>(position);
    do x = encrypt(x);
    while (x >= static_cast<std::uint64_t>(size_));
    return static_cast<std::int64_t>(x);
  }

  /// A hash of the numbers at positions [begin, end), in their order.
  constexpr std::uint64_t hash(std::int64_t begin, std::int64_t end) const {
    std::uint64_t words = 0;
    for (std::int64_t p = begin; p < end; ++p) words = mix(words + static_cast<std::uint64_t>((*this)(p)) + 1);
    return words;
  }

  bool operator==(const Permutation&) const = default;

 private:
  static constexpr std::size_t kRounds = 6;
  static constexpr std::uint64_t kTensor = 0x7065726D;  // differs from the numbers of the model's tensors

  /// A round function: every bit of the result depends on every bit of x (the finalizer of MurmurHash3).
  static constexpr std::uint64_t mix(std::uint64_t x) {
    x ^= x >> 33;
    x *= 0xFF51AFD7ED558CCD;
    x ^= x >> 33;
    x *= 0xC4CEB9FE1A85EC53;
    return x ^ (x >> 33);
  }

  constexpr std::uint64_t encrypt(std::uint64_t x) const {
    const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
    std::uint64_t left = x >> half_bits_;
    std::uint64_t right = x & mask;
    for (std::size_t round = 0; round < kRounds; ++round) {
      const std::uint64_t next = left ^ (mix(right ^ keys_[round]) & mask);
      left = right;
      right = next;
    }
    return left << half_bits_ | right;
  }

  std::int64_t size_ = 0;
  int half_bits_ = 1;
  std::array<std::uint64_t, kRounds> keys_{};
};

}  // namespace recombine
