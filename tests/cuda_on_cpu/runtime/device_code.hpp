#pragma once

#include <cstddef>
#include <cstdint>

#include <cuda_runtime_api.h>

/// The functions that translated kernels call, and the registration of kernels.
namespace emulated {

class Grid;
struct KnownMemory;

/// One CUDA thread, as the kernel's code sees it.
struct Thread {
  uint3 index;
  uint3 block;
  dim3 block_size;
  dim3 grid_size;
  unsigned lane;
  unsigned warp;
  char* shared;  ///< the block's shared memory
  std::uint32_t shared_bytes;
  KnownMemory* known_memory;  ///< of this launch
  Grid* grid;                 ///< runs this thread
};

/// Allocations that the launch has used, the latest first. Most accesses find their allocation here, without a lock.
struct KnownMemory {
  static constexpr int kRanges = 8;
  struct Range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
  };
  Range ranges[kRanges];
};

struct Parameter {
  std::size_t offset;
  std::size_t bytes;
};

struct Kernel {
  const char* name;  ///< mangled
  void (*body)(Thread& thread, const char* parameters);
  const Parameter* parameters;
  std::size_t parameter_count;
  std::size_t parameter_bytes;
  std::size_t shared_bytes;  ///< static
  unsigned max_threads;      ///< of a block, from __launch_bounds__
};

struct RegisterKernel {
  explicit RegisterKernel(const Kernel& kernel);
};

/// A __device__ or __constant__ variable.
struct RegisterVariable {
  RegisterVariable(const void* variable, std::size_t bytes);
};

/// Makes the allocation that contains the access the first of thread.known_memory. Ends the program if there is none on
/// this GPU, or if the allocation ends before address + bytes.
void find_memory(Thread& thread, std::uint64_t address, std::uint64_t bytes);

/// Ends the program with a message that names the kernel and the thread.
[[noreturn]] void fail_in(const Thread& thread, const char* text);

enum class Reduction { none, all, any, count };

/// bar.sync 0 and bar.red. `place` is the barrier's place in the source: all threads must reach the same barrier.
unsigned sync_threads(Thread& thread, const char* place, Reduction reduction = Reduction::none, bool value = false);

/// bar.warp.sync
void sync_warp(Thread& thread, std::uint32_t mask);

/// Every lane of `mask` passes `bytes` bytes (at most kExchangeBytes). `all` receives those of lane i at i * bytes.
constexpr std::size_t kExchangeBytes = 32;
void exchange(Thread& thread, std::uint32_t mask, const void* mine, std::size_t bytes, void* all);

/// membar, fence
void fence(Thread& thread);

/// cp.async. The copy happens when the thread waits for its group, not before.
struct AsyncCopy {
  void* to;
  const void* from;
  std::size_t bytes;
  std::size_t source_bytes;  ///< the rest is zero
};
void start_copy(Thread& thread, const AsyncCopy& copy);
void commit_copies(Thread& thread);
void wait_for_copies(Thread& thread, std::size_t groups_left);

}  // namespace emulated
