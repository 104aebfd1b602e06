// C = A B with one thread per element of C, exactly like the definition.
//
//                    k                     n
//              +-----------+         +---j-------+
//              |           |         |   :       |
//            i | . . . . . |       k |   :       |      thread (i, j) walks along row i of A and down column j of B,
//              |           |         |   :       |      multiplies the elements, and adds the products
//              +-----------+         +---v-------+
//                    A                     B
//
//      a warp at one step of k:   one element of A, for all 32 threads
//                                 32 neighbours of a row of B, in one read of 128 bytes (f32)
//
// Every element of A is read n times, every element of B m times, from memory or a cache: two reads for each
// multiply-add. A GPU can do tens of multiply-adds in the time of one read, so its arithmetic waits for reads.
// If B is transposed, the 32 threads read 32 different rows, which takes 32 times as long. matmul_tiled.cu reads less,
// and its threads read neighbours in both cases.

#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/operand.cuh"

namespace recombine::cuda {

namespace {

constexpr int kAcross = 32;  // a warp's threads are along a row of C, so B is read in whole cache lines
constexpr int kDown = 8;

template <class T, class Sum>
__global__ void __launch_bounds__(kAcross* kDown) naive_kernel(Product<T, Sum> p, unsigned blocks_across) {
  const std::int64_t i = std::int64_t{blockIdx.x / blocks_across} * kDown + threadIdx.y;
  const std::int64_t j = std::int64_t{blockIdx.x % blocks_across} * kAcross + threadIdx.x;
  if (i >= p.m || j >= p.n) return;
  const T* a = p.a.data + i * p.a.row_stride;
  const T* b = p.b.data + j * p.b.col_stride;
  Sum sum = 0;
#pragma unroll 4
  for (std::int64_t l = 0; l < p.k; ++l) {
    sum += converted<Sum>(*a) * converted<Sum>(*b);
    a += p.a.col_stride;
    b += p.b.row_stride;
  }
  p.write(i, j, sum);
}

template <class T, class Sum>
void naive(cudaStream_t stream, const Gemm& gemm) {
  const Product<T, Sum> p = product_of<T, Sum>(gemm);
  const auto across = static_cast<unsigned>(ceil_div(p.n, kAcross));
  const auto blocks = static_cast<unsigned>(across * ceil_div(p.m, kDown));
  naive_kernel<<<blocks, dim3(kAcross, kDown), 0, stream>>>(p, across);
  check_launch("gemm_naive");
}

}  // namespace

void gemm_naive(cudaStream_t stream, const Gemm& gemm) {
  switch (gemm.a.type) {
    case DataType::f32: return naive<float, float>(stream, gemm);
    case DataType::f64: return naive<double, double>(stream, gemm);
    case DataType::bf16: return naive<BFloat16, float>(stream, gemm);
    default: refuse_type("gemm_naive", gemm.a.type);
  }
}

}  // namespace recombine::cuda
