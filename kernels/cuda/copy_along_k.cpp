#include "kernels/cuda/copy_along_k.hpp"

#include "kernels/ceil_div.hpp"
#include "kernels/cuda/transpose.hpp"

namespace recombine::cuda {

namespace {

constexpr std::int64_t kRowAlignment = 4;  // in elements of 4 bytes

MatrixView place_of(const ConstMatrixView& b, std::byte* memory) {
  return {memory, b.cols, b.rows, round_up(b.rows, kRowAlignment), b.type};
}

}  // namespace

bool neither_along_k(const Gemm& gemm) { return gemm.trans_a == Transpose::yes && gemm.trans_b == Transpose::no; }

Gemm with_b_along_k(const Gemm& gemm, std::byte* memory) {
  Gemm out = gemm;
  out.b = place_of(gemm.b, memory);
  out.trans_b = Transpose::yes;
  return out;
}

std::int64_t b_along_k_bytes(const Gemm& gemm) {
  const MatrixView b = place_of(gemm.b, nullptr);
  return b.rows * b.ld * size_of(b.type);
}

Gemm copy_b_along_k(cudaStream_t stream, const Gemm& gemm, std::byte* memory) {
  transpose(stream, gemm.b, place_of(gemm.b, memory));
  return with_b_along_k(gemm, memory);
}

}  // namespace recombine::cuda
