#include "kernels/cuda/cuda_calls.hpp"

#include <string>

#include "kernels/cuda/cublaslt_library.hpp"
#include "kernels/error.hpp"

namespace recombine::cuda {

namespace {

/// This thread's GPU, for a message.
std::string gpu_name() {
  int gpu = 0;
  return cudaGetDevice(&gpu) == cudaSuccess ? fmt::format("GPU {}", gpu) : "a GPU that does not answer";
}

struct Failure {
  const char* call;
  const char* text;
  const char* name;
};

[[noreturn]] void fail(const Failure& failure, std::source_location place) {
  throw Error(fmt::format("{} on {}: {}, {} ({}:{})", failure.call, gpu_name(), failure.name, failure.text,
                          place.file_name(), place.line()));
}

}  // namespace

void check(cudaError_t result, const char* call, std::source_location place) {
  if (result == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // clear it: otherwise a later launch would report it
  fail({.call = call, .text = cudaGetErrorString(result), .name = cudaGetErrorName(result)}, place);
}

void check(cublasStatus_t result, const char* call, std::source_location place) {
  if (result == CUBLAS_STATUS_SUCCESS) return;
  fail({.call = call, .text = cublaslt().status_string(result), .name = cublaslt().status_name(result)}, place);
}

bool is_ready(cudaError_t result, const char* call, std::source_location place) {
  if (result != cudaErrorNotReady) {
    check(result, call, place);
    return true;
  }
  static_cast<void>(cudaGetLastError());
  return false;
}

void use_gpu(int gpu) {
  int current = 0;
  check(cudaGetDevice(&current), "cudaGetDevice");
  if (current != gpu) check(cudaSetDevice(gpu), "cudaSetDevice");
}

}  // namespace recombine::cuda
