#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/reduce.cuh"
#include "kernels/element_hash.hpp"

namespace recombine::cuda {

namespace {

constexpr std::int64_t kMostParts = 1024;

/// A Fingerprint in the form that a kernel takes. Elements are given as their bits.
template <class Bits>
struct FingerprintCall {
  const Bits* x;
  std::int64_t ld;
  std::int64_t m;
  std::int64_t n;
  std::int64_t first;  // global index of element (0, 0)
  std::int64_t global_cols;
  std::uint64_t key;
};

template <class Bits>
__global__ void __launch_bounds__(kBlockThreads) fingerprint_kernel(FingerprintCall<Bits> call, std::uint64_t* parts) {
  __shared__ std::uint64_t warps[kWarp];
  std::uint64_t sum = 0;
  for_items(call.m, call.n, [&](std::int64_t i, std::int64_t j) {
    const auto index = static_cast<std::uint64_t>(call.first + i * call.global_cols + j);
    sum += element_hash(call.key, index, call.x[i * call.ld + j]);
  });
  sum = block_sum(sum, warps);
  if (thread_of_block() == 0) parts[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = sum;
}

/// One block.
__global__ void __launch_bounds__(kBlockThreads)
    add_words_kernel(const std::uint64_t* parts, std::int64_t n, std::uint64_t* sum) {
  __shared__ std::uint64_t warps[kWarp];
  std::uint64_t all = 0;
  for (std::int64_t i = threadIdx.x; i < n; i += blockDim.x) all += parts[i];
  all = block_sum(all, warps);
  if (threadIdx.x == 0) *sum += all;
}

template <class Bits>
void fingerprint_as(cudaStream_t stream, const Fingerprint& call) {
  const ConstMatrixView& block = call.block;
  const FingerprintCall<Bits> kernel_call = {
      block.as<Bits>(), block.ld,          block.rows, block.cols, call.first_row * call.global_cols + call.first_col,
      call.global_cols, mix64(call.tensor)};
  const Tiling tiling = tiling_of(block.rows, block.cols, kMostParts);
  const std::int64_t blocks = std::int64_t{tiling.blocks.x} * tiling.blocks.y;
  const Scratch parts(stream, blocks * std::int64_t{sizeof(std::uint64_t)});
  fingerprint_kernel<Bits><<<tiling.blocks, tiling.threads, 0, stream>>>(kernel_call, parts.as<std::uint64_t>());
  check_launch("fingerprint");
  add_words_kernel<<<1, kBlockThreads, 0, stream>>>(parts.as<std::uint64_t>(), blocks,
                                                    reinterpret_cast<std::uint64_t*>(call.sum));
  check_launch("fingerprint");
}

}  // namespace

void fingerprint(cudaStream_t stream, const Fingerprint& call) {
  if (call.block.empty()) return;
  switch (size_of(call.block.type)) {
    case 2: return fingerprint_as<std::uint16_t>(stream, call);
    case 4: return fingerprint_as<std::uint32_t>(stream, call);
    default: return fingerprint_as<std::uint64_t>(stream, call);
  }
}

}  // namespace recombine::cuda
