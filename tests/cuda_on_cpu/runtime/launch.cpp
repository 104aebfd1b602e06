// Registration and launch of kernels, as the host code that nvcc generates asks for them.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <dlfcn.h>

#include "tests/cuda_on_cpu/runtime/block.hpp"
#include "tests/cuda_on_cpu/runtime/device.hpp"
#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"
#include "tests/cuda_on_cpu/runtime/stream.hpp"

namespace emulated {

namespace {

/// A kernel as the host knows it. The address of this object is the cudaKernel_t.
struct HostFunction {
  std::string name;
  std::size_t dynamic_shared_limit = 0;  ///< from cudaFuncSetAttribute; 0 if never called
};

struct Kernels {
  std::mutex mutex;
  std::map<std::string, Kernel> translated;
  std::map<const void*, HostFunction> of_host;
};

Kernels& kernels() {
  static auto* kernels = new Kernels;
  return *kernels;
}

/// Loads the library of translated kernels: $RECOMBINE_EMULATED_KERNELS, or the one in the folder of this library.
void load_translated_kernels() {
  Dl_info self{};
  dladdr(reinterpret_cast<void*>(&load_translated_kernels), &self);
  const std::string own = self.dli_fname;
  const char* named = std::getenv("RECOMBINE_EMULATED_KERNELS");
  const std::string library = named ? named : own.substr(0, own.rfind('/') + 1) + "libemulated_kernels.so";
  if (!dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL)) fail("the translated kernels: " + std::string(dlerror()));
}

/// Null if the kernel is for one architecture only, or belongs to another program.
const Kernel* find_translated(const std::string& name) {
  const Hidden hidden;
  static const bool loaded = (load_translated_kernels(), true);
  static_cast<void>(loaded);
  const std::lock_guard lock(kernels().mutex);
  const auto found = kernels().translated.find(name);
  return found == kernels().translated.end() ? nullptr : &found->second;
}

const Kernel& translated(const std::string& name) {
  const Kernel* const found = find_translated(name);
  if (!found) fail("kernel " + name + " has not been translated; expected it in the kernels' library of this program");
  return *found;
}

HostFunction* host_function(const void* function) {
  const Hidden hidden;
  const std::lock_guard lock(kernels().mutex);
  const auto found = kernels().of_host.find(function);
  return found == kernels().of_host.end() ? nullptr : &found->second;
}

std::vector<char> pack(const Kernel& kernel, void** arguments) {
  std::vector<char> parameters(kernel.parameter_bytes);
  for (std::size_t i = 0; i < kernel.parameter_count; ++i)
    std::memcpy(parameters.data() + kernel.parameters[i].offset, arguments[i], kernel.parameters[i].bytes);
  return parameters;
}

bool valid(const Launch& launch, const HostFunction& function) {
  constexpr unsigned kMaxGridYZ = 65535;
  const dim3 grid = launch.grid;
  const dim3 block = launch.block;
  const std::size_t threads = std::size_t{block.x} * block.y * block.z;
  const std::size_t limit = std::max(function.dynamic_shared_limit, kSharedMemory - launch.kernel->shared_bytes);
  return grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.x <= 0x7fffffffU && grid.y <= kMaxGridYZ &&
         grid.z <= kMaxGridYZ && threads > 0 && threads <= launch.kernel->max_threads && block.z <= 64 &&
         launch.dynamic_shared <= limit;
}

struct CallConfiguration {
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared;
  cudaStream_t stream;
};

std::vector<CallConfiguration>& configurations() {
  static thread_local std::vector<CallConfiguration> stack;
  return stack;
}

}  // namespace

RegisterKernel::RegisterKernel(const Kernel& kernel) {
  const std::lock_guard lock(kernels().mutex);
  kernels().translated.emplace(kernel.name, kernel);
}

}  // namespace emulated

using namespace emulated;

extern "C" {

void** __cudaRegisterFatBinary(void* binary) { return static_cast<void**>(binary); }
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
char __cudaInitModule(void**) { return 1; }

void __cudaRegisterFunction(void**, const char* function, char*, const char* name, int, uint3*, uint3*, dim3*, dim3*,
                            int*) {
  const std::lock_guard lock(kernels().mutex);
  kernels().of_host[function].name = name;
}

/// Does nothing: only kernels use variables, because cudaMemcpyToSymbol is not emulated.
void __cudaRegisterVar(void**, char*, char*, const char*, int, std::size_t, int, int) {}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, std::size_t dynamic_shared, CUstream_st* stream) {
  const Hidden hidden;
  configurations().push_back({grid, block, dynamic_shared, stream});
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, std::size_t* dynamic_shared, void* stream) {
  const CallConfiguration last = configurations().back();
  configurations().pop_back();
  *grid = last.grid;
  *block = last.block;
  *dynamic_shared = last.dynamic_shared;
  *static_cast<cudaStream_t*>(stream) = last.stream;
  return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  HostFunction* found = host_function(function);
  if (!found) return remember(cudaErrorInvalidDeviceFunction);
  *kernel = reinterpret_cast<cudaKernel_t>(found);
  return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments, std::size_t dynamic_shared,
                               cudaStream_t stream) {
  const auto& function = *reinterpret_cast<HostFunction*>(kernel);
  const Kernel& code = translated(function.name);
  Launch launch{&code, pack(code, arguments), grid, block, dynamic_shared};
  if (!valid(launch, function)) return remember(cudaErrorInvalidConfiguration);
  if (own_stream(stream).device() != current_device()) return remember(cudaErrorInvalidResourceHandle);
  return enqueue(stream, [launch = std::move(launch)] { this_grid().run(launch); });
}

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments, std::size_t dynamic_shared,
                             cudaStream_t stream) {
  cudaKernel_t kernel = nullptr;
  const cudaError_t error = __cudaGetKernel(&kernel, function);
  return error == cudaSuccess ? __cudaLaunchKernel(kernel, grid, block, arguments, dynamic_shared, stream) : error;
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  HostFunction* found = host_function(function);
  if (!found) return remember(cudaErrorInvalidDeviceFunction);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize)
    fail("cudaFuncSetAttribute: attribute " + std::to_string(attribute) + " is not known here");
  const auto bytes = static_cast<std::size_t>(value);
  const Kernel* const code = find_translated(found->name);
  if (!code) return remember(cudaErrorNoKernelImageForDevice);
  if (value < 0 || bytes + code->shared_bytes > kSharedMemoryOptIn) return remember(cudaErrorInvalidValue);
  found->dynamic_shared_limit = bytes;
  return cudaSuccess;
}
}
