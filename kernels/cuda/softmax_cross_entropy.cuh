#pragma once

#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/loss_parts.cuh"

namespace recombine::cuda {

/// The inputs of SoftmaxCrossEntropy (kernels/math.hpp) in the form that a kernel takes.
struct SoftmaxCall {
  const float* logits;
  std::int64_t logits_ld;
  const std::int32_t* labels;
  const std::int64_t* rows;
  std::int64_t m;
  std::int64_t n;
  float scale;

  __device__ __forceinline__ std::int64_t label_of(std::int64_t row) const { return labels[rows[row]]; }
  __device__ __forceinline__ bool is_column(std::int64_t label) const { return label >= 0 && label < n; }
};

/// The memory of the gradient.
template <class T>
struct GradientOut {
  T* at;  // may be logits; null: not computed
  std::int64_t ld;
};

template <class T>
GradientOut<T> gradient_out(const MatrixView& gradient) {
  return {gradient.as<T>(), gradient.ld};
}

inline constexpr float kLowest = -__builtin_huge_valf();
inline constexpr float kNotANumber = __builtin_nanf("");
inline constexpr std::int64_t kNoColumn = INT64_MAX;

inline constexpr std::int64_t kNarrow = 512;  // most columns of a row that fit in a warp's registers

/// The values for a row's loss, over the columns so far: the maximum, the first column that has it, and the sum of
/// exp(x - maximum), where x = maximum counts as 1. A NaN makes the sum NaN. So does an infinite maximum, in finish().
struct SoftmaxRow {
  float largest = kLowest;
  std::int64_t at = kNoColumn;
  float sum = 0;

  /// Updates only the maximum.
  __device__ __forceinline__ void see(float x, std::int64_t column) {
    if (x > largest || (x == largest && column < at && x > kLowest)) {
      largest = x;
      at = column;
    }
  }

  __device__ __forceinline__ void share_largest(int lanes) {
    for (int offset = lanes / 2; offset > 0; offset /= 2) {
      const float x = __shfl_xor_sync(kAllLanes, largest, offset);
      see(x, __shfl_xor_sync(kAllLanes, at, offset));
    }
  }

  /// Updates the maximum and the sum. @pre columns come in ascending order
  __device__ __forceinline__ void add(float x, std::int64_t column) {
    if (x > largest) {
      sum = sum * expf(largest - x) + 1;
      largest = x;
      at = column;
    } else {
      sum += x == largest ? 1 : expf(x - largest);
    }
  }

  /// Adds the values of other columns.
  __device__ __forceinline__ void join(const SoftmaxRow& other) {
    const float mine = largest;
    see(other.largest, other.at);
    sum = sum * (mine == largest ? 1 : expf(mine - largest)) +
          other.sum * (other.largest == largest ? 1 : expf(other.largest - largest));
  }

  /// Call it after the last column.
  __device__ __forceinline__ void finish() {
    if (!(largest - largest == 0)) sum = kNotANumber;
  }

  __device__ __forceinline__ float loss(float right) const { return logf(sum) + largest - right; }
  __device__ __forceinline__ bool is_largest(std::int64_t column) const { return at == column && sum == sum; }
};

/// Joins the rows of all threads of a block of kBlockThreads. Every thread gets the result.
__device__ __forceinline__ SoftmaxRow block_row(SoftmaxRow row) {
  constexpr int kWarps = kBlockThreads / kWarp;
  __shared__ float largest[kWarps];
  __shared__ std::int64_t at[kWarps];
  __shared__ float sum[kWarps];
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    SoftmaxRow other;
    other.largest = __shfl_xor_sync(kAllLanes, row.largest, offset);
    other.at = __shfl_xor_sync(kAllLanes, row.at, offset);
    other.sum = __shfl_xor_sync(kAllLanes, row.sum, offset);
    row.join(other);
  }
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  if (threadIdx.x % kWarp == 0) {
    largest[warp] = row.largest;
    at[warp] = row.at;
    sum[warp] = row.sum;
  }
  __syncthreads();
  row = {};
#pragma unroll
  for (int w = 0; w < kWarps; ++w) row.join({largest[w], at[w], sum[w]});
  __syncthreads();  // the next row writes there again
  return row;
}

/// A narrow row of n columns in the registers of `lanes` threads. x[e] is column lane + e * lanes; at the end it holds
/// exp(x - largest).   items * lanes >= n
struct NarrowRow {
  SoftmaxRow seen;
  float label_logit;  // 0 if the label is not a column
};

template <int items>
__device__ __forceinline__ NarrowRow narrow_row(const float* logits, int n, std::int64_t label, int lanes,
                                                float (&x)[items]) {
  const int lane = static_cast<int>(threadIdx.x);
  NarrowRow row = {{}, 0};
#pragma unroll
  for (int e = 0; e < items; ++e) {
    const int j = lane + e * lanes;
    x[e] = j < n ? logits[j] : kLowest;
    row.seen.see(x[e], j);
    if (j == label) row.label_logit = x[e];
  }
  row.seen.share_largest(lanes);
#pragma unroll
  for (int e = 0; e < items; ++e) {
    if (lane + e * lanes >= n) continue;
    x[e] = x[e] == row.seen.largest ? 1 : expf(x[e] - row.seen.largest);
    row.seen.sum += x[e];
  }
  row.seen.sum = group_sum(row.seen.sum, lanes);
  row.label_logit = group_sum(row.label_logit, lanes);
  return row;
}

/// A wide row of n columns. A block reads it once; every thread gets the result.
template <int width>
__device__ __forceinline__ SoftmaxRow wide_row(const float* logits, std::int64_t n) {
  SoftmaxRow row;
  for (std::int64_t j = threadIdx.x; j < ceil_div(n, width); j += blockDim.x) {
    const int count = pack_count<width>(n, j);
    const Pack<float, width> x = load_pack<width>(logits + j * width, count);
#pragma unroll
    for (int e = 0; e < width; ++e) {
      if (e < count) row.add(x.at[e], j * width + e);
    }
  }
  return block_row(row);
}

}  // namespace recombine::cuda
