#include "src/nn/permutation.hpp"

#include "kernels/random.hpp"

namespace recombine {

namespace {

constexpr std::uint64_t kPermutationTensor = 0x7065726D;  // differs from the numbers of the model's tensors

/// A round function: every bit of the result depends on every bit of x (the finalizer of MurmurHash3).
constexpr std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xFF51AFD7ED558CCD;
  x ^= x >> 33;
  x *= 0xC4CEB9FE1A85EC53;
  return x ^ (x >> 33);
}

}  // namespace

Permutation::Permutation(std::int64_t size, std::uint64_t seed, std::uint64_t epoch) : size_(size) {
  while ((std::uint64_t{1} << (2 * half_bits_)) < static_cast<std::uint64_t>(size)) ++half_bits_;
  for (std::size_t round = 0; round < keys_.size(); ++round) {
    const auto words = random_words(seed, kPermutationTensor, epoch * kRounds + round);
    keys_[round] = std::uint64_t{words[0]} << 32 | words[1];
  }
}

std::uint64_t Permutation::encrypt(std::uint64_t x) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = x >> half_bits_;
  std::uint64_t right = x & mask;
  for (const std::uint64_t key : keys_) {
    const std::uint64_t next = left ^ (mix(right ^ key) & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

std::int64_t Permutation::operator()(std::int64_t position) const {
  auto x = static_cast<std::uint64_t>(position);
  do x = encrypt(x);
  while (x >= static_cast<std::uint64_t>(size_));
  return static_cast<std::int64_t>(x);
}

}  // namespace recombine
