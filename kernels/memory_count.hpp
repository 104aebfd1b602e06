#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace recombine {

/// What a rank uses device memory for.
enum class MemoryUse {
  weights,
  gradients,
  moments,      ///< of the optimizer
  activations,  ///< values of a batch in the layers, and their gradients
  data,         ///< tables: features, and labels or targets
  buffers,      ///< everything else
};
inline constexpr std::array kMemoryUses = {MemoryUse::weights,     MemoryUse::gradients, MemoryUse::moments,
                                           MemoryUse::activations, MemoryUse::data,      MemoryUse::buffers};
constexpr std::string_view name_of(MemoryUse use) {
  constexpr std::array<std::string_view, kMemoryUses.size()> kNames = {"weights",     "gradients", "moments",
                                                                       "activations", "data",      "buffers"};
  return kNames[static_cast<std::size_t>(use)];
}

/// Bytes of each MemoryUse. The type is double, so that no sum overflows.
struct MemoryBytes {
  std::array<double, kMemoryUses.size()> by_use{};
  double& operator[](MemoryUse use) { return by_use[static_cast<std::size_t>(use)]; }
  double operator[](MemoryUse use) const { return by_use[static_cast<std::size_t>(use)]; }
  double total() const {
    double sum = 0;
    for (const double bytes : by_use) sum += bytes;
    return sum;
  }
};

/// Counts the bytes that this rank holds of a device's memory. Thread-safe.
class MemoryCount {
 public:
  /// @param bytes  negative for memory that is freed
  void add(MemoryUse use, std::int64_t bytes) {
    const std::lock_guard lock(mutex_);
    now_[use] += static_cast<double>(bytes);
    peak_[use] = std::max(peak_[use], now_[use]);
  }
  /// Sets the peaks to the bytes that are held now.
  void reset_peak() {
    const std::lock_guard lock(mutex_);
    peak_ = now_;
  }
  /// The peak of each use since the beginning or the last reset_peak(). Uses may have their peaks at different times.
  MemoryBytes peak() const {
    const std::lock_guard lock(mutex_);
    return peak_;
  }

 private:
  mutable std::mutex mutex_;
  MemoryBytes now_, peak_;
};

}  // namespace recombine
