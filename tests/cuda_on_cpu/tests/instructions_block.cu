// Instructions that several threads execute together, and memory instructions. Expected results come from loops on the
// host side of this file.
#include <cstdint>

#include <cuda_bf16.h>
#include <cuda_pipeline.h>
#include <mma.h>

#include "tests/cuda_on_cpu/tests/check.cuh"

namespace {

constexpr int kThreads = 64;

template <class T, class F>
void expect_all(const char* what, const std::vector<T>& got, const F& expected, double tolerance = 0) {
  for (std::size_t i = 0; i < got.size(); ++i)
    expect_near(what, i, got[i], static_cast<T>(expected(static_cast<int>(i))), tolerance);
}

__global__ void shuffles(int* out) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int base = static_cast<int>(threadIdx.x) * 10;
  out[threadIdx.x] = __shfl_xor_sync(~0U, base, 5) + __shfl_up_sync(~0U, base, 3) * 1000 +
                     __shfl_down_sync(~0U, base, 2, 8) * 1000000 + __shfl_sync(~0U, lane, 17);
}

int shuffled(int i) {
  const int warp = i / 32 * 32;
  const int lane = i % 32;
  const int up = lane >= 3 ? i - 3 : i;
  const int down = lane % 8 + 2 < 8 ? i + 2 : i;
  return (warp + (lane ^ 5)) * 10 + up * 10 * 1000 + down * 10 * 1000000 + 17;
}

__global__ void votes(unsigned* out) {
  const unsigned lane = threadIdx.x % 32;
  const unsigned ballot = __ballot_sync(~0U, lane % 3 == 0);
  out[threadIdx.x] = ballot + (__any_sync(~0U, lane == 4) ? 1 : 0) + (__all_sync(~0U, lane < 31) ? 2 : 0) +
                     (__syncthreads_or(threadIdx.x == 40) ? 4 : 0) + (__syncthreads_and(threadIdx.x < 60) ? 8 : 0) +
                     static_cast<unsigned>(__syncthreads_count(threadIdx.x < 10)) * 16;
}

__constant__ float kTable[4] = {1.5F, -2, 1e-3F, 8};
__device__ int device_offset = 3;

/// Uses static and dynamic shared memory, constants, and vector accesses.
__global__ void memories(const float4* in, float4* out) {
  __shared__ float4 fixed[kThreads];
  extern __shared__ float dynamic[];
  fixed[threadIdx.x] = in[threadIdx.x];
  dynamic[threadIdx.x] = kTable[threadIdx.x % 4];
  __syncthreads();
  const unsigned other = kThreads - 1 - threadIdx.x;
  float4 value = fixed[other];
  value.x += dynamic[other];
  value.w += static_cast<float>(device_offset);
  out[threadIdx.x] = value;
}

__global__ void atomics(int* ints, float* floats, double* doubles, unsigned long long* longs) {
  const int i = static_cast<int>(threadIdx.x);
  atomicAdd(&ints[0], i);
  atomicMax(&ints[1], i ^ 21);
  atomicMin(&ints[2], i ^ 21);
  atomicOr(&ints[3], 1 << (i % 31));
  atomicAdd(&floats[0], 0.5F);
  atomicAdd(&doubles[0], 0.25);
  atomicAdd(&longs[0], 1ULL << 33);
  if (i == 0) ints[4] = atomicExch(&ints[5], 9) + atomicCAS(&ints[6], 0, 4) * 100;
}

/// Each block writes its sum, and the last block to finish adds the sums. Uses fences and an atomic counter.
__global__ void last_block(const float* in, float* partial, unsigned* counter, float* out) {
  __shared__ bool last;
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = in[blockIdx.x];
    __threadfence();
    last = atomicAdd(counter, 1U) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last || threadIdx.x != 0) return;
  __threadfence();
  float sum = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) sum += partial[i];
  *out = sum;
}

/// Has two groups of copies in flight. The second copies only 8 of 16 bytes.
__global__ void async_copies(const float4* in, float4* out) {
  __shared__ float4 tile[2][kThreads];
  __pipeline_memcpy_async(&tile[0][threadIdx.x], &in[threadIdx.x], 16);
  __pipeline_commit();
  __pipeline_memcpy_async(&tile[1][threadIdx.x], &in[kThreads + threadIdx.x], 16, 8);
  __pipeline_commit();
  __pipeline_wait_prior(1);
  __syncthreads();
  out[threadIdx.x] = tile[0][threadIdx.x ^ 1];
  __pipeline_wait_prior(0);
  __syncthreads();
  out[kThreads + threadIdx.x] = tile[1][threadIdx.x ^ 1];
}

/// c = a b^T + c, 16 x 16, through shared memory. b is read by columns.
__global__ void tile_product(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c) {
  using namespace nvcuda::wmma;
  __shared__ __nv_bfloat16 tile[16 * 24];
  for (unsigned i = threadIdx.x; i < 256; i += 32) tile[i / 16 * 24 + i % 16] = a[i];
  __syncwarp();
  fragment<matrix_a, 16, 16, 16, __nv_bfloat16, row_major> left;
  fragment<matrix_b, 16, 16, 16, __nv_bfloat16, col_major> right;
  fragment<accumulator, 16, 16, 16, float> sum;
  load_matrix_sync(left, tile, 24);
  load_matrix_sync(right, b, 16);
  load_matrix_sync(sum, c, 16, mem_row_major);
  mma_sync(sum, left, right, sum);
  store_matrix_sync(c, sum, 16, mem_row_major);
}

void check_tile_product() {
  std::vector<__nv_bfloat16> a(256), b(256);
  for (int i = 0; i < 256; ++i) {
    a[i] = __float2bfloat16(static_cast<float>(i % 13) - 6);
    b[i] = __float2bfloat16(static_cast<float>(i * 7 % 11) / 4);
  }
  const DeviceArray<__nv_bfloat16> left(a), right(b);
  const DeviceArray<float> c(std::vector<float>(256, 0.5F));
  tile_product<<<1, 32, 0, stream()>>>(left.data(), right.data(), c.data());
  expect_all(
      "wmma", c.values(),
      [&](int i) {
        float sum = 0.5F;
        for (int k = 0; k < 16; ++k) sum += __bfloat162float(a[i / 16 * 16 + k]) * __bfloat162float(b[i % 16 * 16 + k]);
        return sum;
      },
      1e-6);
}

void check_memories() {
  std::vector<float4> values(2 * kThreads);
  for (int i = 0; i < 2 * kThreads; ++i) {
    const auto x = static_cast<float>(i);
    values[i] = make_float4(x, x + 0.25F, x + 0.5F, x + 0.75F);
  }
  const DeviceArray<float4> in(values), out(values);
  memories<<<1, kThreads, kThreads * sizeof(float), stream()>>>(in.data(), out.data());
  const float table[] = {1.5F, -2, 1e-3F, 8};
  std::vector<float4> got = out.values();
  for (int i = 0; i < kThreads; ++i) {
    const int other = kThreads - 1 - i;
    expect_near("shared and constant memory", i, got[i].x, values[other].x + table[other % 4], 0);
    expect_near("vectors and device variables", i, got[i].w, values[other].w + 3, 0);
  }
  async_copies<<<1, kThreads, 0, stream()>>>(in.data(), out.data());
  got = out.values();
  for (int i = 0; i < 2 * kThreads; ++i) {
    expect_near("cp.async, first half", i, got[i].y, values[i ^ 1].y, 0);
    expect_near("cp.async, second half", i, got[i].w, i < kThreads ? values[i ^ 1].w : 0.F, 0);
  }
}

void check_atomics() {
  const DeviceArray<int> ints({0, 0, 99, 0, 0, 7, 0});
  const DeviceArray<float> floats({1.F});
  const DeviceArray<double> doubles({1.0});
  const DeviceArray<unsigned long long> longs({1ULL});
  atomics<<<1, kThreads, 0, stream()>>>(ints.data(), floats.data(), doubles.data(), longs.data());
  const int expected[] = {kThreads * (kThreads - 1) / 2, 63, 0, 0x7fffffff, 7, 9, 4};
  expect_all("atomics of s32", ints.values(), [&](int i) { return expected[i]; });
  expect_all("atomics of f32", floats.values(), [](int) { return 33; });
  expect_all("atomics of f64", doubles.values(), [](int) { return 17; });
  expect_all("atomics of u64", longs.values(), [](int) { return 1 + (64ULL << 33); });
}

void check_last_block() {
  const DeviceArray<float> in({1, 2, 3, 4, 5, 6, 7}), partial(std::vector<float>(7, 0.F)), out({0.F});
  const DeviceArray<unsigned> counter({0U});
  last_block<<<7, 32, 0, stream()>>>(in.data(), partial.data(), counter.data(), out.data());
  expect_all("sum by the last block", out.values(), [](int) { return 28; });
}

}  // namespace

int warp_and_memory_failures() {
  const int before = failures();
  const DeviceArray<int> ints(std::vector<int>(kThreads, 0));
  shuffles<<<1, kThreads, 0, stream()>>>(ints.data());
  expect_all("shuffles", ints.values(), shuffled);
  const DeviceArray<unsigned> words(std::vector<unsigned>(kThreads, 0));
  votes<<<1, kThreads, 0, stream()>>>(words.data());
  expect_all("votes", words.values(), [](int) { return 0x49249249U + 1 + 4 + 160; });
  check_memories();
  check_atomics();
  check_last_block();
  check_tile_product();
  return failures() - before;
}
