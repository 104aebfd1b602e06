#pragma once

#include <array>
#include <cstdint>

namespace recombine {

/// A shuffled order of 0 .. size-1, computed position by position without a table, so that every rank has the same one.
/// A Feistel network permutes the numbers below the next power of four; a result >= size is permuted again until it is
/// smaller (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002).
class Permutation {
 public:
  /// @pre size >= 0
  Permutation(std::int64_t size, std::uint64_t seed, std::uint64_t epoch);

  /// @pre 0 <= position < size
  std::int64_t operator()(std::int64_t position) const;

 private:
  static constexpr int kRounds = 6;

  std::uint64_t encrypt(std::uint64_t x) const;

  std::int64_t size_;
  int half_bits_ = 1;
  std::array<std::uint64_t, kRounds> keys_{};
};

}  // namespace recombine
