#include "tests/cuda_on_cpu/runtime/counts.hpp"

#include <atomic>

#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"

namespace emulated {

namespace {

CudaCounts& counts() {
  static CudaCounts counts;
  return counts;
}

}  // namespace

void count(std::int64_t CudaCounts::*which) {
  const Hidden hidden;
  std::atomic_ref(counts().*which).fetch_add(1, std::memory_order_relaxed);
}

}  // namespace emulated

/// Tests find it by its name, so that they also link and run without the emulation.
extern "C" void emulated_cuda_counts(emulated::CudaCounts* out) {
  const emulated::Hidden hidden;
  *out = emulated::counts();
}
