#include "kernels/cuda/launch.hpp"

#include "kernels/error.hpp"

namespace recombine::cuda {

void check_launch(const char* kernel) {
  const cudaError_t error = cudaGetLastError();
  require(error == cudaSuccess, "kernel {}: {} ({})", kernel, cudaGetErrorString(error), cudaGetErrorName(error));
}

void refuse_type(const char* kernel, DataType type) {
  throw Error(fmt::format("the kernel {} does not exist for {}", kernel, name_of(type)));
}

int multiprocessor_count() {
  int device = 0;
  int count = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) error = cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device);
  require(error == cudaSuccess, "cannot get the number of the GPU's multiprocessors: {}", cudaGetErrorString(error));
  return count;
}

Scratch::Scratch(cudaStream_t stream, std::int64_t bytes) : stream_(stream) {
  const cudaError_t error = cudaMallocAsync(&data_, static_cast<std::size_t>(bytes), stream);
  require(error == cudaSuccess, "cannot allocate {} bytes of GPU memory: {}", bytes, cudaGetErrorString(error));
}

Scratch::~Scratch() {
  // If this fails, the GPU has failed before, and the next checked call reports it.
  static_cast<void>(cudaFreeAsync(data_, stream_));
}

}  // namespace recombine::cuda
