#pragma once

#include <cstdint>

#include <cuda.h>

/// Copies by a GPU's copy engine (the tensor memory accelerator, TMA): one thread requests a whole box of a matrix, and
/// a barrier counts the bytes that arrive. NVIDIA, "Parallel Thread Execution ISA", sections mbarrier and
/// cp.async.bulk.tensor.
namespace recombine::cuda::hopper {

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

/// A barrier in shared memory. A phase ends when all expected threads and bytes have arrived; the next phase begins at
/// once. Phases 0, 1, 2 ... have parity 0, 1, 0 ...
class Barrier {
 public:
  __device__ __forceinline__ void init(unsigned arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&word_)), "r"(arrivals) : "memory");
  }
  __device__ __forceinline__ void arrive() {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(&word_)) : "memory");
  }
  /// Arrives, and makes the phase wait for `bytes` more bytes of copies.
  __device__ __forceinline__ void arrive_and_expect(unsigned bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&word_)), "r"(bytes)
                 : "memory");
  }
  /// Waits for the end of the latest phase of this parity. In a new barrier, the phase "before 0" has ended (parity 1).
  __device__ __forceinline__ void wait(unsigned parity) {
    while (!ended(parity)) {
    }
  }
  __device__ __forceinline__ unsigned address() const { return shared_address(&word_); }

 private:
  /// Sleeps for a time that the hardware chooses, or until the phase ends.
  __device__ __forceinline__ bool ended(unsigned parity) {
    unsigned done = 0;
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%1], %2;\n"
        "selp.u32 %0, 1, 0, done;\n"
        "}"
        : "=r"(done)
        : "r"(shared_address(&word_)), "r"(parity)
        : "memory");
    return done != 0;
  }

  std::uint64_t word_;
};

/// Makes the barriers that this thread has initialised visible to the copy engine.
__device__ __forceinline__ void publish_barriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Begins the copy of a box of `map` into shared memory. The box begins at element `along` of row `row`. Elements
/// outside the matrix become zeros. The barrier counts all bytes of the box, also those zeros.
__device__ __forceinline__ void copy_box(void* shared, const CUtensorMap& map, int along, int row, Barrier& barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(
          shared_address(shared)),
      "l"(&map), "r"(along), "r"(row), "r"(barrier.address())
      : "memory");
}

}  // namespace recombine::cuda::hopper
