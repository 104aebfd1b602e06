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
__global__ void __launch_bounds__(kBlockThreads)
    fingerprint_kernel(FingerprintCall<Bits> call, std::uint64_t* sum, Workspace workspace) {
  std::uint64_t hashes[] = {0};
  for_items(call.m, call.n, [&](std::int64_t i, std::int64_t j) {
    const auto index = static_cast<std::uint64_t>(call.first + i * call.global_cols + j);
    hashes[0] += element_hash(call.key, index, call.x[i * call.ld + j]);
  });
  add_grid_sums(hashes, sum, workspace);
}

template <class Bits>
void fingerprint_as(const Launch& launch, const Fingerprint& call) {
  const ConstMatrixView& block = call.block;
  const FingerprintCall<Bits> kernel_call = {
      block.as<Bits>(), block.ld,          block.rows, block.cols, call.first_row * call.global_cols + call.first_col,
      call.global_cols, mix64(call.tensor)};
  const Tiling tiling = tiling_of(block.rows, block.cols, kMostParts);
  fingerprint_kernel<Bits><<<tiling.blocks, tiling.threads, 0, launch.stream>>>(
      kernel_call, reinterpret_cast<std::uint64_t*>(call.sum), launch.workspace);
  check_launch("fingerprint");
}

}  // namespace

void fingerprint(const Launch& launch, const Fingerprint& call) {
  if (call.block.empty()) return;
  switch (size_of(call.block.type)) {
    case 2: return fingerprint_as<std::uint16_t>(launch, call);
    case 4: return fingerprint_as<std::uint32_t>(launch, call);
    default: return fingerprint_as<std::uint64_t>(launch, call);
  }
}

}  // namespace recombine::cuda
