#pragma once

#include "kernels/cuda/softmax_cross_entropy.cuh"

/// Softmax and cross-entropy of rows that fit into registers: memory is read once and written once. Memory limits
/// these kernels, so a thread loads all values that it needs before it uses the first one.
namespace recombine::cuda {

inline constexpr int kBlockWarps = kBlockThreads / kWarp;

/// Rows of up to 32 columns, a thread per row. A warp copies 32 rows to shared memory and their gradients back.
/// Neighbouring lanes access neighbouring elements of memory. Rows in shared memory have an odd stride, so that the
/// lanes that read a column use different banks:
///
///     memory   row 0: 0 1 2 3   row 1: 4 5 6 7       element k -> shared element k + k / n * (stride - n)
///     shared          0 1 2 3 -        4 5 6 7 -
///
inline constexpr std::int64_t kMostNarrow = 32;         ///< columns
inline constexpr std::int64_t kMostNarrowLd = 1 << 26;  ///< positions in a tile are 32-bit

struct NarrowTile {
  int n;
  int stride;           // in shared memory: n or n + 1
  unsigned reciprocal;  // ceil(2^16 / n): k / n is k * reciprocal / 2^16 if k < 1024 and n <= 32

  __device__ __forceinline__ int row_of(int k) const { return static_cast<int>(k * reciprocal >> 16); }
  __device__ __forceinline__ int place_of(int k) const { return k + row_of(k) * (stride - n); }
  /// Position in a matrix with this leading dimension.
  __device__ __forceinline__ int position_of(int k, int ld) const { return k + row_of(k) * (ld - n); }
};

inline NarrowTile narrow_tile_of(std::int64_t n) {
  return {static_cast<int>(n), static_cast<int>(n | 1), static_cast<unsigned>(ceil_div(1 << 16, n))};
}

/// *to = x, marked as first to be evicted from the cache. Logits and gradients stream through the cache. The labels,
/// which are read in random order, stay in it.
__device__ __forceinline__ void store_once(float* to, float x) { __stcs(to, x); }
__device__ __forceinline__ void store_once(BFloat16* to, float x) {
  __stcs(reinterpret_cast<unsigned short*>(to), rounded(x).bits);
}

/// Copies `elements` elements of a tile's rows to shared memory.
__device__ __forceinline__ void stage_rows(const NarrowTile& tile, int elements, const float* from, int ld, float* to) {
  constexpr int kLoads = 16;  // in flight at once
  for (int begin = static_cast<int>(threadIdx.x) % kWarp; begin < elements; begin += kLoads * kWarp) {
    float x[kLoads];
#pragma unroll
    for (int p = 0; p < kLoads; ++p) {
      const int k = begin + p * kWarp;
      if (k < elements) x[p] = __ldcs(from + tile.position_of(k, ld));
    }
#pragma unroll
    for (int p = 0; p < kLoads; ++p) {
      const int k = begin + p * kWarp;
      if (k < elements) to[tile.place_of(k)] = x[p];
    }
  }
}

/// Turns a row of shared memory into its gradient. Returns the row's loss.
__device__ __forceinline__ float narrow_softmax(float* row, int n, std::int64_t label, float scale, bool& correct) {
  float largest = kLowest;
  int at = -1;  // of the first maximum
#pragma unroll 4
  for (int j = 0; j < n; ++j) {
    if (row[j] > largest) {
      largest = row[j];
      at = j;
    }
  }
  const bool is_column = label >= 0 && label < n;
  const float right = is_column ? row[label] : kNotANumber;
  float sum = 0;
#pragma unroll 4
  for (int j = 0; j < n; ++j) {
    row[j] = expf(row[j] - largest);  // NaN if row[j] is NaN, or if the maximum is infinite
    sum += row[j];
  }
  const float factor = scale / sum;
#pragma unroll 4
  for (int j = 0; j < n; ++j) row[j] *= factor;
  if (is_column) row[label] -= scale;
  correct = is_column && at == label && sum == sum;
  return logf(sum) + largest - right;
}

template <class Gradient>
__global__ void __launch_bounds__(kBlockThreads, 4)
    softmax_narrow_kernel(SoftmaxCall call, GradientOut<Gradient> gradient, NarrowTile tile, LossSums* sums,
                          Workspace workspace) {
  extern __shared__ float staged[];
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int logits_ld = static_cast<int>(call.logits_ld);
  const int gradient_ld = static_cast<int>(gradient.ld);
  const std::int64_t step = std::int64_t{gridDim.x} * kBlockThreads;
  float* const rows = staged + warp * kWarp * tile.stride;
  double loss = 0;
  double correct = 0;
  std::int64_t first = (std::int64_t{blockIdx.x} * kBlockWarps + warp) * kWarp;
  std::int64_t position = first + lane < call.m ? call.rows[first + lane] : 0;
  for (; first < call.m; first += step) {
    const int height = call.m - first < kWarp ? static_cast<int>(call.m - first) : kWarp;
    const std::int64_t label = lane < height ? call.labels[position] : -1;
    // Read one tile early, so that the label's address is known before the tile's logits are loaded.
    if (first + step + lane < call.m) position = call.rows[first + step + lane];
    stage_rows(tile, height * tile.n, call.logits + first * call.logits_ld, logits_ld, rows);
    __syncwarp();
    if (lane < height) {
      bool is_correct = false;
      loss += static_cast<double>(narrow_softmax(rows + lane * tile.stride, tile.n, label, call.scale, is_correct));
      correct += is_correct ? 1 : 0;
    }
    __syncwarp();
    if (gradient.at) {
      Gradient* const to = gradient.at + first * gradient.ld;
#pragma unroll 4
      for (int k = lane; k < height * tile.n; k += kWarp) {
        store_once(to + tile.position_of(k, gradient_ld), rows[tile.place_of(k)]);
      }
    }
    __syncwarp();
  }
  add_losses(loss, correct, sums, workspace);
}

/// Rows of up to kWarp * width * packs columns, a warp per row. Pack p of a lane is pack lane + p * kWarp of the row.
template <class Gradient, int width, int packs>
__global__ void __launch_bounds__(kBlockThreads, 4)
    softmax_warp_kernel(SoftmaxCall call, GradientOut<Gradient> gradient, LossSums* sums, Workspace workspace) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int n = static_cast<int>(call.n);
  double loss = 0;
  double correct = 0;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kBlockWarps + threadIdx.x / kWarp; i < call.m;
       i += std::int64_t{gridDim.x} * kBlockWarps) {
    const std::int64_t row = call.rows[i];
    const float* const logits = call.logits + i * call.logits_ld;
    Pack<float, width> x[packs];
#pragma unroll
    for (int p = 0; p < packs; ++p) {
      const int j = (lane + p * kWarp) * width;
      if (j < n) x[p] = load_pack<width>(logits + j, n - j < width ? n - j : width);
    }
    const std::int64_t global = call.labels[row];
    const int label = call.is_column(global) ? static_cast<int>(global) : -1;
    float largest = kLowest;
    float right = 0;  // the logit of the label, in the lane that has it
    int at = n;       // this lane's first maximum
#pragma unroll
    for (int p = 0; p < packs; ++p) {
      const int j = (lane + p * kWarp) * width;
#pragma unroll
      for (int e = 0; e < width; ++e) {
        if (j + e >= n) x[p].at[e] = kLowest;
        if (x[p].at[e] > largest) {
          largest = x[p].at[e];
          at = j + e;
        }
        if (j + e == label) right = x[p].at[e];
      }
    }
    const float mine = largest;
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
      largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, offset));
    }
    const bool earlier = __any_sync(kAllLanes, mine == largest && at < label);
    float sum = 0;
#pragma unroll
    for (int p = 0; p < packs; ++p) {
#pragma unroll
      for (int e = 0; e < width; ++e) {
        x[p].at[e] = expf(x[p].at[e] - largest);  // NaN if x is NaN, or if the maximum is infinite
        sum += x[p].at[e];
      }
    }
    sum = group_sum(sum, kWarp);
    if (lane == (label < 0 ? 0 : label / width % kWarp)) {
      loss += static_cast<double>(logf(sum) + largest - (label < 0 ? kNotANumber : right));
      correct += right == largest && label >= 0 && !earlier && sum == sum ? 1 : 0;
    }
    if (!gradient.at) continue;
    const float factor = call.scale / sum;
    Gradient* const to = gradient.at + i * gradient.ld;
#pragma unroll
    for (int p = 0; p < packs; ++p) {
      const int j = (lane + p * kWarp) * width;
      if (j >= n) continue;
#pragma unroll
      for (int e = 0; e < width; ++e) x[p].at[e] = x[p].at[e] * factor - (j + e == label ? call.scale : 0);
      store_pack<width>(to + j, converted_pack<Gradient>(x[p]), n - j < width ? n - j : width);
    }
  }
  add_losses(loss, correct, sums, workspace);
}

}  // namespace recombine::cuda
