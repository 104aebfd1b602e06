#include "tests/cuda_on_cpu/runtime/memory.hpp"

#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include "tests/cuda_on_cpu/runtime/capture.hpp"
#include "tests/cuda_on_cpu/runtime/counts.hpp"
#include "tests/cuda_on_cpu/runtime/device.hpp"
#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"
#include "tests/cuda_on_cpu/runtime/stream.hpp"

namespace emulated {

namespace {

constexpr std::size_t kAlignment = 256;  // of every allocation, as CUDA promises
constexpr int kUninitialised = 0xff;     // NaN in every floating-point type

struct Allocations {
  std::mutex mutex;
  std::map<std::uintptr_t, Allocation> by_begin;
};

Allocations& allocations() {
  static auto* allocations = new Allocations;
  return *allocations;
}

bool forget_allocation(void* memory, cudaMemoryType type) {
  const Hidden hidden;
  auto& [mutex, by_begin] = allocations();
  const std::lock_guard lock(mutex);
  const auto found = by_begin.find(reinterpret_cast<std::uintptr_t>(memory));
  if (found == by_begin.end() || found->second.type != type) return false;
  by_begin.erase(found);
  return true;
}

/// Allocates exactly `bytes`, so that the address sanitizer knows the bounds.
cudaError_t allocate(void** memory, std::size_t bytes, cudaMemoryType type) {
  *memory = nullptr;
  count(&CudaCounts::allocations);
  if (bytes == 0) return cudaSuccess;
  const Hidden hidden;
  if (posix_memalign(memory, kAlignment, bytes) != 0) return remember(cudaErrorMemoryAllocation);
  const auto begin = reinterpret_cast<std::uintptr_t>(*memory);
  add_allocation({begin, begin + bytes, type, current_device()});
  return cudaSuccess;
}

/// Frees the memory, after a reported write: an access that is not ordered before the free then races with this write.
void give_back(void* memory, std::size_t bytes) {
  touch(memory, bytes, Access::write);
  const Hidden hidden;
  std::free(memory);
}

std::size_t size_of(const void* memory) {
  const auto allocation = find_allocation(reinterpret_cast<std::uintptr_t>(memory));
  return allocation ? allocation->end - allocation->begin : 0;
}

cudaError_t free_now(void* memory, cudaMemoryType type) {
  refuse_in_host_function("freeing memory");
  if (const cudaError_t error = refuse_unsafe("freeing memory")) return remember(error);
  if (!memory) return cudaSuccess;
  synchronize_device();
  const std::size_t bytes = size_of(memory);
  if (!forget_allocation(memory, type)) return remember(cudaErrorInvalidValue);
  give_back(memory, bytes);
  return cudaSuccess;
}

/// CUDA captures a stream's allocations as nodes. They are refused here, because no step may allocate or free memory.
cudaError_t refuse_in_step(cudaStream_t stream, const char* call) {
  refuse_in_host_function(call);
  if (const cudaError_t error = refuse_on(own_stream(stream), call)) return remember(error);
  return remember(refuse_unsafe(call));
}

}  // namespace

std::optional<Allocation> find_allocation(std::uintptr_t address) {
  const Hidden hidden;
  auto& [mutex, by_begin] = allocations();
  const std::lock_guard lock(mutex);
  auto next = by_begin.upper_bound(address);
  if (next == by_begin.begin()) return std::nullopt;
  const Allocation& allocation = std::prev(next)->second;
  return address < allocation.end ? std::optional(allocation) : std::nullopt;
}

void add_allocation(const Allocation& allocation) {
  const Hidden hidden;
  auto& [mutex, by_begin] = allocations();
  const std::lock_guard lock(mutex);
  by_begin[allocation.begin] = allocation;
}

}  // namespace emulated

using namespace emulated;

extern "C" {

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  if (const cudaError_t error = refuse_unsafe("cudaMalloc")) return remember(error);
  const cudaError_t error = allocate(memory, bytes, cudaMemoryTypeDevice);
  if (*memory) fill(*memory, kUninitialised, bytes);
  return error;
}

cudaError_t cudaFree(void* memory) { return free_now(memory, cudaMemoryTypeDevice); }

cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t stream) {
  if (const cudaError_t error = refuse_in_step(stream, "cudaMallocAsync")) return error;
  const cudaError_t error = allocate(memory, bytes, cudaMemoryTypeDevice);
  if (*memory) own_stream(stream).push([start = *memory, bytes] { fill(start, kUninitialised, bytes); });
  return error;
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  if (!memory) return cudaSuccess;
  const std::size_t bytes = size_of(memory);
  if (bytes == 0) return remember(cudaErrorInvalidValue);
  if (const cudaError_t error = refuse_in_step(stream, "cudaFreeAsync")) return error;
  own_stream(stream).push([memory, bytes] {
    if (!forget_allocation(memory, cudaMemoryTypeDevice)) fail("cudaFreeAsync of memory that was freed already");
    give_back(memory, bytes);
  });
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  if (const cudaError_t error = refuse_unsafe("cudaMallocHost")) return remember(error);
  return allocate(memory, bytes, cudaMemoryTypeHost);
}

cudaError_t cudaFreeHost(void* memory) { return free_now(memory, cudaMemoryTypeHost); }

cudaError_t cudaHostRegister(void* memory, std::size_t bytes, unsigned int flags) {
  constexpr std::uintptr_t kPage = 4096;
  if (flags != cudaHostRegisterDefault) fail("cudaHostRegister: no flags are emulated");
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  if (!memory || bytes == 0 || begin % kPage != 0) return remember(cudaErrorInvalidValue);
  if (find_allocation(begin)) return remember(cudaErrorHostMemoryAlreadyRegistered);
  add_allocation({begin, begin + bytes, cudaMemoryTypeHost, current_device()});
  return cudaSuccess;
}

/// Does not wait for the streams that use the memory: the sanitizer sees a write, which races with unfinished work.
cudaError_t cudaHostUnregister(void* memory) {
  const std::size_t bytes = size_of(memory);
  if (!forget_allocation(memory, cudaMemoryTypeHost)) return remember(cudaErrorHostMemoryNotRegistered);
  touch(memory, bytes, Access::write);
  return cudaSuccess;
}

cudaError_t cudaHostGetDevicePointer(void** on_gpu, void* memory, unsigned int) {
  const auto allocation = find_allocation(reinterpret_cast<std::uintptr_t>(memory));
  if (!allocation || allocation->type != cudaMemoryTypeHost) return remember(cudaErrorInvalidValue);
  *on_gpu = memory;
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* memory) {
  const auto allocation = find_allocation(reinterpret_cast<std::uintptr_t>(memory));
  *attributes = {};
  attributes->type = allocation ? allocation->type : cudaMemoryTypeUnregistered;
  attributes->device = allocation ? allocation->device : cudaInvalidDeviceId;
  if (allocation) attributes->devicePointer = const_cast<void*>(memory);
  if (!allocation || allocation->type == cudaMemoryTypeHost) attributes->hostPointer = const_cast<void*>(memory);
  return cudaSuccess;
}

/// Each device has one pool. A pool has no state, so any address serves as its handle.
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  static char pools[64];
  if (device < 0 || device >= device_count()) return remember(cudaErrorInvalidDevice);
  *pool = reinterpret_cast<cudaMemPool_t>(&pools[device]);
  return cudaSuccess;
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, std::size_t) { return cudaSuccess; }  // a pool keeps no memory here

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr attribute, void*) {
  if (attribute != cudaMemPoolAttrReleaseThreshold)
    fail("cudaMemPoolSetAttribute: attribute " + std::to_string(attribute) + " is not known here");
  return cudaSuccess;
}
}
