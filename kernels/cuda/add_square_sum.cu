#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/reduce.cuh"

namespace recombine::cuda {

namespace {

constexpr std::int64_t kMostParts = 1024;  // the same on every GPU, so the bits are the same

template <int width>
__global__ void __launch_bounds__(kBlockThreads)
    square_sum_kernel(const float* x, std::int64_t n, double* sum, Workspace workspace) {
  double squares[] = {0};
  for_items(1, ceil_div(n, width), [&](std::int64_t, std::int64_t j) {
    const Pack<float, width> pack = load_pack<width>(x + j * width, pack_count<width>(n, j));
#pragma unroll
    for (int e = 0; e < width; ++e) squares[0] += static_cast<double>(pack.at[e]) * static_cast<double>(pack.at[e]);
  });
  add_grid_sums(squares, sum, workspace);
}

template <int width>
void add_square_sum_packs(const Launch& launch, const ConstVectorView& x, double* sum) {
  const std::int64_t blocks = std::min(ceil_div(ceil_div(x.size, width), kBlockThreads), kMostParts);
  square_sum_kernel<width><<<static_cast<unsigned>(blocks), kBlockThreads, 0, launch.stream>>>(x.as<float>(), x.size,
                                                                                               sum, launch.workspace);
  check_launch("add_square_sum");
}

}  // namespace

void add_square_sum(const Launch& launch, ConstVectorView x, double* sum) {
  if (x.size == 0) return;
  packs_fit_vector(x) ? add_square_sum_packs<kWide>(launch, x, sum) : add_square_sum_packs<1>(launch, x, sum);
}

}  // namespace recombine::cuda
