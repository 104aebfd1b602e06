#include "kernels/cuda/gemm_trial.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/cuda/launchers.hpp"

namespace recombine::cuda {

namespace {

constexpr std::size_t kShareOfMemory = 2;  // a trial takes at most this fraction of the free memory: 1 / 2

template <class View>
std::int64_t bytes_of(const View& x) {
  return std::max<std::int64_t>(1, x.rows * x.ld * size_of(x.type));
}

std::int64_t bytes_of(const ConstVectorView& x) { return std::max<std::int64_t>(1, x.bytes()); }

std::int64_t bytes_of(const GemmTrial::Request& request) {
  const Gemm& gemm = request.gemm;
  return bytes_of(gemm.a) + bytes_of(gemm.b) + bytes_of(gemm.c) + bytes_of(gemm.bias) + request.workspace_bytes +
         request.operand_copy_bytes;
}

/// Random values, as in a real product: with zeros a GPU needs less power, so it runs faster.
void fill_with_values(cudaStream_t stream, const Scratch& memory, const ConstMatrixView& x) {
  fill(stream, {memory.as<std::byte>(), x.rows, x.ld, x.ld, x.type}, {.global_cols = x.ld, .half_width = 1});
}

}  // namespace

TrialStream::TrialStream() {
  check(cudaStreamCreateWithFlags(stream_.out(), cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
}

TrialStream::~TrialStream() {
  // If one of these calls fails, the GPU failed earlier, and the next checked call reports it.
  int gpu = 0;
  cudaMemPool_t pool = nullptr;
  if (cudaStreamSynchronize(stream_.get()) != cudaSuccess || cudaGetDevice(&gpu) != cudaSuccess) return;
  if (cudaDeviceGetDefaultMemPool(&pool, gpu) == cudaSuccess) static_cast<void>(cudaMemPoolTrimTo(pool, 0));
}

std::unique_ptr<GemmTrial> GemmTrial::make(const Request& request) {
  std::size_t free = 0;
  std::size_t total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  if (static_cast<std::size_t>(bytes_of(request)) > free / kShareOfMemory) return nullptr;
  return std::unique_ptr<GemmTrial>(new GemmTrial(request));
}

GemmTrial::GemmTrial(const Request& request)
    : a_(stream(), bytes_of(request.gemm.a)),
      b_(stream(), bytes_of(request.gemm.b)),
      c_(stream(), bytes_of(request.gemm.c)),
      bias_(stream(), bytes_of(request.gemm.bias)),
      workspace_(stream(), std::max<std::int64_t>(1, request.workspace_bytes)),
      operand_copies_(stream(), std::max<std::int64_t>(1, request.operand_copy_bytes)),
      gemm_(request.gemm) {
  gemm_.a.data = a_.as<std::byte>();
  gemm_.b.data = b_.as<std::byte>();
  gemm_.c.data = c_.as<std::byte>();
  fill_with_values(stream(), a_, gemm_.a);
  fill_with_values(stream(), b_, gemm_.b);
  if (gemm_.beta != 0) fill_with_values(stream(), c_, gemm_.c);
  if (gemm_.bias.size == 0) return;
  gemm_.bias.data = bias_.as<std::byte>();
  fill_with_values(stream(), bias_, as_matrix(gemm_.bias, 1, gemm_.bias.size));
}

bool GemmTrial::first_is_nan() const {
  std::uint32_t bits = 0;  // of an f32; a bf16 is its upper half
  const auto bytes = static_cast<std::size_t>(size_of(gemm_.c.type));
  check(cudaMemcpyAsync(reinterpret_cast<std::byte*>(&bits) + sizeof bits - bytes, gemm_.c.data, bytes,
                        cudaMemcpyDefault, stream()),
        "cudaMemcpyAsync");
  check(cudaStreamSynchronize(stream()), "cudaStreamSynchronize");
  return std::isnan(std::bit_cast<float>(bits));
}

}  // namespace recombine::cuda
