#include "kernels/cuda/stream_words.hpp"

#include <cudaTypedefs.h>

#include "kernels/cuda/driver_function.hpp"
#include "kernels/error.hpp"

namespace recombine::cuda {

namespace {

constexpr unsigned kVersion = 11070;  // CUDA 11.7

CUdeviceptr address_of(const std::uint32_t* word) { return reinterpret_cast<CUdeviceptr>(word); }

void check_driver(CUresult result, const char* call) {
  require(result == CUDA_SUCCESS, "{} failed with error {} of the CUDA driver", call, static_cast<int>(result));
}

}  // namespace

void wait_for_word(cudaStream_t stream, const std::uint32_t* word, std::uint32_t value) {
  static const auto kWait = driver_function<PFN_cuStreamWaitValue32_v11070>("cuStreamWaitValue32", kVersion);
  check_driver(kWait(stream, address_of(word), value, CU_STREAM_WAIT_VALUE_GEQ), "cuStreamWaitValue32");
}

void write_word(cudaStream_t stream, std::uint32_t* word, std::uint32_t value) {
  static const auto kWrite = driver_function<PFN_cuStreamWriteValue32_v11070>("cuStreamWriteValue32", kVersion);
  check_driver(kWrite(stream, address_of(word), value, CU_STREAM_WRITE_VALUE_DEFAULT), "cuStreamWriteValue32");
}

}  // namespace recombine::cuda
