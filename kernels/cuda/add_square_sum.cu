#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/reduce.cuh"

namespace recombine::cuda {

namespace {

constexpr std::int64_t kMostParts = 1024;  // the same on every GPU, so the bits are the same

template <int width>
__global__ void __launch_bounds__(kBlockThreads) square_sum_kernel(const float* x, std::int64_t n, double* parts) {
  __shared__ double warps[kWarp];
  double sum = 0;
  for_items(1, ceil_div(n, width), [&](std::int64_t, std::int64_t j) {
    const Pack<float, width> pack = load_pack<width>(x + j * width, pack_count<width>(n, j));
#pragma unroll
    for (int e = 0; e < width; ++e) sum += static_cast<double>(pack.at[e]) * static_cast<double>(pack.at[e]);
  });
  sum = block_sum(sum, warps);
  if (thread_of_block() == 0) parts[blockIdx.x] = sum;
}

/// One block.
__global__ void __launch_bounds__(kBlockThreads) add_parts_kernel(const double* parts, std::int64_t n, double* sum) {
  __shared__ double warps[kWarp];
  double all = 0;
  for (std::int64_t i = threadIdx.x; i < n; i += blockDim.x) all += parts[i];
  all = block_sum(all, warps);
  if (threadIdx.x == 0) *sum += all;
}

template <int width>
void add_square_sum_packs(cudaStream_t stream, const ConstVectorView& x, double* sum) {
  const std::int64_t blocks = std::min(ceil_div(ceil_div(x.size, width), kBlockThreads), kMostParts);
  const Scratch parts(stream, blocks * std::int64_t{sizeof(double)});
  square_sum_kernel<width>
      <<<static_cast<unsigned>(blocks), kBlockThreads, 0, stream>>>(x.as<float>(), x.size, parts.as<double>());
  check_launch("add_square_sum");
  add_parts_kernel<<<1, kBlockThreads, 0, stream>>>(parts.as<double>(), blocks, sum);
  check_launch("add_square_sum");
}

}  // namespace

void add_square_sum(cudaStream_t stream, ConstVectorView x, double* sum) {
  if (x.size == 0) return;
  packs_fit_vector(x) ? add_square_sum_packs<kWide>(stream, x, sum) : add_square_sum_packs<1>(stream, x, sum);
}

}  // namespace recombine::cuda
