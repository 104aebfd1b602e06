#include "tests/cuda_on_cpu/runtime/device.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "tests/cuda_on_cpu/runtime/capture.hpp"
#include "tests/cuda_on_cpu/runtime/counts.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"
#include "tests/cuda_on_cpu/runtime/stream.hpp"

namespace emulated {

namespace {

constexpr int kMultiprocessors = 4;
constexpr int kWarp = 32;
constexpr std::size_t kMemory = std::size_t{8} << 30;
constexpr int kVersion = CUDART_VERSION;

cudaError_t& last_error() {
  static thread_local cudaError_t error = cudaSuccess;
  return error;
}

bool exists(int device) { return device >= 0 && device < device_count(); }

struct ErrorText {
  cudaError_t code;
  const char* name;
  const char* text;
};

/// The error codes that this library returns.
constexpr ErrorText kErrors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorInvalidSymbol, "cudaErrorInvalidSymbol", "invalid device symbol"},
    {cudaErrorInvalidMemcpyDirection, "cudaErrorInvalidMemcpyDirection", "invalid copy direction for memcpy"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidDeviceFunction, "cudaErrorInvalidDeviceFunction", "invalid device function"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorIllegalState, "cudaErrorIllegalState", "operation not permitted in the present state"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureMerge, "cudaErrorStreamCaptureMerge",
     "operation would result in a merge of separate capture sequences"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched",
     "capture was not ended in the same stream as it began"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined", "capturing stream has unjoined work"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
     "operation not permitted on an event last recorded in a capturing stream"},
    {cudaErrorStreamCaptureWrongThread, "cudaErrorStreamCaptureWrongThread",
     "attempt to terminate a thread-local capture sequence from another thread"},
};

const ErrorText& describe(cudaError_t code) {
  for (const ErrorText& error : kErrors)
    if (error.code == code) return error;
  fail("error code " + std::to_string(code) + " has no name here: add it to device.cpp");
}

}  // namespace

int device_count() {
  const char* count = std::getenv("RECOMBINE_EMULATED_DEVICES");
  return count ? std::atoi(count) : 1;
}

int& current_device() {
  static thread_local int device = 0;
  return device;
}

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess) last_error() = error;
  return error;
}

void fail(const std::string& text) {
  std::fprintf(stderr, "cuda_on_cpu: %s\n", text.c_str());
  std::abort();
}

}  // namespace emulated

using namespace emulated;

extern "C" {

cudaError_t cudaGetLastError() { return std::exchange(last_error(), cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return last_error(); }
const char* cudaGetErrorName(cudaError_t code) { return describe(code).name; }
const char* cudaGetErrorString(cudaError_t code) { return describe(code).text; }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = device_count();
  return *count > 0 ? cudaSuccess : remember(cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int device) {
  refuse_in_host_function("cudaSetDevice");
  if (!exists(device)) return remember(cudaErrorInvalidDevice);
  current_device() = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  refuse_in_host_function("cudaGetDevice");
  *device = current_device();
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (!exists(device)) return remember(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "CPU as compute capability 9.0");
  properties->major = 9;
  properties->totalGlobalMem = kMemory;
  properties->multiProcessorCount = kMultiprocessors;
  properties->warpSize = kWarp;
  properties->maxThreadsPerBlock = int{kMaxThreads};
  properties->sharedMemPerBlock = kSharedMemory;
  properties->sharedMemPerBlockOptin = kSharedMemoryOptIn;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  if (!exists(device)) return remember(cudaErrorInvalidDevice);
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor: *value = 9; break;
    case cudaDevAttrComputeCapabilityMinor: *value = 0; break;
    case cudaDevAttrMultiProcessorCount: *value = kMultiprocessors; break;
    case cudaDevAttrWarpSize: *value = kWarp; break;
    case cudaDevAttrMaxThreadsPerBlock: *value = int{kMaxThreads}; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = int{kSharedMemory}; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = int{kSharedMemoryOptIn}; break;
    case cudaDevAttrMemoryPoolsSupported: *value = 1; break;
    default: fail("cudaDeviceGetAttribute: attribute " + std::to_string(attribute) + " is not known here");
  }
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }

cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) {
  *available = *total = kMemory;
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  refuse_in_host_function("cudaDeviceSynchronize");
  if (const cudaError_t error = refuse_on_device("cudaDeviceSynchronize")) return remember(error);
  if (const cudaError_t error = refuse_unsafe("cudaDeviceSynchronize")) return remember(error);
  count(&CudaCounts::host_synchronisations);
  synchronize_device();
  return cudaSuccess;
}
}
