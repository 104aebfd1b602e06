#pragma once

#include <cstdint>

// Static functions: loops.cpp is compiled once per instruction set, and each of its objects needs its own copy.

namespace recombine {

/// The finaliser of SplitMix64: a permutation of 64-bit words. Every output bit depends on every input bit.
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
static constexpr std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

/// The term that an element adds to the fingerprint of its tensor: number `index` of the SplitMix64 sequence with seed
/// `key`, mixed with the element's bits.
static constexpr std::uint64_t element_hash(std::uint64_t key, std::uint64_t index, std::uint64_t bits) {
  return mix64(mix64(key + index * 0x9E3779B97F4A7C15) ^ bits);
}

}  // namespace recombine
