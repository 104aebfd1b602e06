#include "kernels/cuda/tensor_map.hpp"

#include <cudaTypedefs.h>

#include "kernels/ceil_div.hpp"
#include "kernels/cuda/driver_function.hpp"
#include "kernels/error.hpp"

namespace recombine::cuda {

namespace {

constexpr std::int64_t kAlignment = 16;  // bytes
constexpr cuuint32_t kBoxCols = 64;

/// Bytes from a row to the next. For a single row, any multiple of the alignment is possible.
std::int64_t row_stride(const ConstMatrixView& x) {
  const std::int64_t bytes = (x.rows > 1 ? x.ld : x.cols) * size_of(x.type);
  return x.rows > 1 ? bytes : round_up(bytes, kAlignment);
}

}  // namespace

bool has_tensor_map(const ConstMatrixView& x) {
  constexpr std::int64_t kMost = 1 << 30;  // positions fit 32 bits, also those in the last box outside the matrix
  return reinterpret_cast<std::uintptr_t>(x.data) % kAlignment == 0 && row_stride(x) % kAlignment == 0 &&
         x.rows <= kMost && x.cols <= kMost;
}

CUtensorMap tensor_map(const ConstMatrixView& x, int box_rows) {
  static const auto kEncode = driver_function<PFN_cuTensorMapEncodeTiled_v12000>("cuTensorMapEncodeTiled", 12000);
  // Dimension 0 runs along the rows.
  const cuuint64_t extents[] = {static_cast<cuuint64_t>(x.cols), static_cast<cuuint64_t>(x.rows)};
  const cuuint64_t strides[] = {static_cast<cuuint64_t>(row_stride(x))};  // of dimension 1
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
