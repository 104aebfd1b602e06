#include "kernels/cuda/tensor_map.hpp"

#include <cudaTypedefs.h>

#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/error.hpp"

namespace recombine::cuda {

namespace {

constexpr std::int64_t kAlignment = 16;  // bytes
constexpr cuuint32_t kBoxCols = 64;

/// A function of the driver, which the program is not linked with.
PFN_cuTensorMapEncodeTiled_v12000 encode_function() {
  constexpr unsigned kVersion = 12000;
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  check(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, kVersion, cudaEnableDefault, &found),
        "cudaGetDriverEntryPointByVersion");
  require(found == cudaDriverEntryPointSuccess && function,
          "the CUDA driver has no cuTensorMapEncodeTiled; expected a driver of CUDA 12 or newer");
  return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function);
}

/// Bytes from a row to the next. Of one row, any multiple of the alignment will do.
std::int64_t row_stride(const ConstMatrixView& x) {
  const std::int64_t bytes = (x.rows > 1 ? x.ld : x.cols) * size_of(x.type);
  return x.rows > 1 ? bytes : (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

bool has_tensor_map(const ConstMatrixView& x) {
  constexpr std::int64_t kMost = 1 << 30;  // positions in 32 bits, also past the last box
  return reinterpret_cast<std::uintptr_t>(x.data) % kAlignment == 0 && row_stride(x) % kAlignment == 0 &&
         x.rows <= kMost && x.cols <= kMost;
}

CUtensorMap tensor_map(const ConstMatrixView& x, int box_rows) {
  static const PFN_cuTensorMapEncodeTiled_v12000 kEncode = encode_function();
  // Dimension 0 runs along the rows.
  const cuuint64_t extents[] = {static_cast<cuuint64_t>(x.cols), static_cast<cuuint64_t>(x.rows)};
  const cuuint64_t strides[] = {static_cast<cuuint64_t>(row_stride(x))};  // that of dimension 0 is one element
  const cuuint32_t box[] = {kBoxCols, static_cast<cuuint32_t>(box_rows)};
  const cuuint32_t every[] = {1, 1};
  CUtensorMap map;
  const CUresult result =
      kEncode(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, const_cast<std::byte*>(x.data), extents, strides, box, every,
              CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
              CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);  // elements outside are zeros
  require(result == CUDA_SUCCESS, "cuTensorMapEncodeTiled failed with error {} of the CUDA driver for {} x {}, ld {}",
          static_cast<int>(result), x.rows, x.cols, x.ld);
  return map;
}

}  // namespace recombine::cuda
