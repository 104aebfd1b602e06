#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace recombine {

/// What a rank needs memory for.
enum class MemoryUse {
  weights,
  gradients,
  moments,      ///< of the optimizer
  activations,  ///< values of a batch in the layers, and their gradients
  data,         ///< tables of features and answers
  buffers,      ///< everything else
};
inline constexpr std::array kMemoryUses = {MemoryUse::weights,     MemoryUse::gradients, MemoryUse::moments,
                                           MemoryUse::activations, MemoryUse::data,      MemoryUse::buffers};
constexpr std::string_view name_of(MemoryUse use) {
  constexpr std::array<std::string_view, kMemoryUses.size()> kNames = {"weights",     "gradients", "moments",
                                                                       "activations", "data",      "buffers"};
  return kNames[static_cast<std::size_t>(use)];
}

/// Bytes of each MemoryUse. In double: no sum overflows.
struct MemoryBytes {
  std::array<double, kMemoryUses.size()> of{};
  double& operator[](MemoryUse use) { return of[static_cast<std::size_t>(use)]; }
  double operator[](MemoryUse use) const { return of[static_cast<std::size_t>(use)]; }
  double total() const {
    double sum = 0;
    for (const double bytes : of) sum += bytes;
    return sum;
  }
};

/// Counts the memory of a device that this rank holds. Any thread may call it.
class MemoryCount {
 public:
  /// @param bytes  < 0 if the memory is given back
  void add(MemoryUse use, std::int64_t bytes) {
    const std::lock_guard lock(mutex_);
    now_[use] += static_cast<double>(bytes);
    most_[use] = std::max(most_[use], now_[use]);
  }
  /// Forgets the largest counts so far.
  void restart() {
    const std::lock_guard lock(mutex_);
    most_ = now_;
  }
  /// The most bytes of each use that were held at one time, since the beginning or the last restart().
  MemoryBytes most() const {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  mutable std::mutex mutex_;
  MemoryBytes now_, most_;
};

}  // namespace recombine
