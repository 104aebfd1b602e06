// The driver's functions that a program finds by name.
#include <atomic>
#include <cstring>
#include <string>
#include <thread>

#include <cuda.h>

#include "tests/cuda_on_cpu/runtime/capture.hpp"
#include "tests/cuda_on_cpu/runtime/device.hpp"
#include "tests/cuda_on_cpu/runtime/memory.hpp"
#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"
#include "tests/cuda_on_cpu/runtime/stream.hpp"

using namespace emulated;

namespace {

/// True if the word has reached `value`; the comparison is cyclic, as CUDA's.
bool reached(std::uint32_t* word, std::uint32_t value) {
  const Hidden hidden;
  return static_cast<std::int32_t>(std::atomic_ref(*word).load(std::memory_order_acquire) - value) >= 0;
}

/// True if `address` is a word of pinned memory: the host and other processes write no other memory.
bool is_pinned_word(CUdeviceptr address) {
  const auto allocation = find_allocation(address);
  return allocation && allocation->type == cudaMemoryTypeHost && address % sizeof(std::uint32_t) == 0;
}

CUresult write_value(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned int flags) {
  if (flags != CU_STREAM_WRITE_VALUE_DEFAULT) fail("cuStreamWriteValue32: no flags are emulated");
  if (!is_pinned_word(address)) return CUDA_ERROR_INVALID_VALUE;
  auto* const word = reinterpret_cast<std::uint32_t*>(address);
  if (refuse_on(own_stream(stream), "cuStreamWriteValue32")) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  refuse_in_host_function("cuStreamWriteValue32");
  own_stream(stream).push([word, value] {
    release(word);  // a reader of the value also sees the stream's earlier work
    const Hidden hidden;
    std::atomic_ref(*word).store(value, std::memory_order_release);
  });
  return CUDA_SUCCESS;
}

CUresult wait_value(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned int flags) {
  if (flags != CU_STREAM_WAIT_VALUE_GEQ) fail("cuStreamWaitValue32: only CU_STREAM_WAIT_VALUE_GEQ is emulated");
  if (!is_pinned_word(address)) return CUDA_ERROR_INVALID_VALUE;
  auto* const word = reinterpret_cast<std::uint32_t*>(address);
  // CUDA captures the wait, but with this call's value: each replay after the first would pass at once.
  if (refuse_on(own_stream(stream), "cuStreamWaitValue32")) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  refuse_in_host_function("cuStreamWaitValue32");
  own_stream(stream).push([word, value] {
    while (!reached(word, value)) std::this_thread::sleep_for(std::chrono::microseconds(20));
    acquire(word);  // what the writer of the word did before is visible to the stream's work
  });
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned,
                                                        unsigned long long, cudaDriverEntryPointQueryResult* found) {
  refuse_in_host_function("cudaGetDriverEntryPointByVersion");
  const bool writes = std::strcmp(symbol, "cuStreamWriteValue32") == 0;
  if (!writes && std::strcmp(symbol, "cuStreamWaitValue32") != 0)
    fail(std::string(symbol) + " of the driver is not emulated");
  *function = writes ? reinterpret_cast<void*>(write_value) : reinterpret_cast<void*>(wait_value);
  if (found) *found = cudaDriverEntryPointSuccess;
  return cudaSuccess;
}
