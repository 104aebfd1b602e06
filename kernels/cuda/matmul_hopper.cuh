#pragma once

#include <cstdint>

#include <cuda_bf16.h>

#include "kernels/cuda/copy_engine.cuh"
#include "kernels/cuda/wgmma.cuh"

// C = A B on Hopper's tensor cores: bf16 operands, f32 sums. Threads do not copy elements: one thread requests whole
// boxes from the copy engine, and the tensor cores read them from shared memory.
//
//    memory       copy engine      shared memory: a ring of 4 stages         tensor cores   registers
//                 (TMA)            +-------+-------+-------+-------+         (wgmma)
//    A 128 x 64   =============>   | A | B | A | B | A | B | A | B |    =================>  a tile of C, 128 x 256:
//    B 64 x 256   a box each       +-------+-------+-------+-------+    64 x 256 x 16 each  64 x 256 for each of two
//                                    full?   full?   full?   full?                          warpgroups
//                                    empty?  empty?  empty?  empty?
//
//    producer (1 thread)       | 0 | 1 | 2 | 3 | wait for 0 to be empty | 0 | wait | 1 | ...   requests copies only
//    consumers (2 warpgroups)        | wait for 0 to be full |  0  |  1  |  2  |  3  |  0  |   multiply only
//
// Each stage has two barriers: `full` ends a phase when the stage's bytes have arrived, `empty` when all consumers have
// read them. So copies run up to 4 stages ahead of the products. They also run ahead from one tile of C into the next,
// because a block stays on its multiprocessor and computes tile after tile. One group of products is always in flight:
// a consumer frees a stage after it has begun the products of the next stage.
//
// If there are fewer such tiles than multiprocessors, tiles of 128 x 128 keep more multiprocessors busy.
//
// Rows of tiles form groups. Blocks take the tiles of a group column by column, so tiles that run at the same time
// share their operands in the L2 cache:
//
//                   +---+---+---+---+
//                   | 0 | 4 | 8 |12 |
//        a group    | 1 | 5 | 9 |13 |
//                   | 2 | 6 |10 |14 |
//                   | 3 | 7 |11 |15 |
//                   +---+---+---+---+
//        next group |16 | ...
namespace recombine::cuda::hopper {

/// The shape of a kernel.
template <int cols, int stages, int group>
struct Tiling {
  static constexpr int kRows = 128;  // of C: 64 for each of two warpgroups
  static constexpr int kCols = cols;
  static constexpr int kDepth = 64;  // of k in a stage: a row of 128 bytes
  static constexpr int kStages = stages;
  static constexpr int kGroup = group;  // rows of tiles in a group
};

constexpr int kConsumers = 2;  // warpgroups
constexpr int kThreads = (1 + kConsumers) * kWarpgroup;
// Registers of a thread. At the start each has 168, and the sum stays the same: 40 + 2 * 232 = 3 * 168.
constexpr int kProducerRegisters = 40;
constexpr int kConsumerRegisters = 232;

/// The block's shared memory.
template <class Tile>
struct Ring {
  struct alignas(1024) Stage {
    __nv_bfloat16 a[Tile::kRows * Tile::kDepth];
    __nv_bfloat16 b[Tile::kCols * Tile::kDepth];
  };

  Stage stages[Tile::kStages];
  Barrier full[Tile::kStages];
  Barrier empty[Tile::kStages];
};

/// Where a producer or a consumer is in the ring.
template <class Tile>
struct Position {
  int stage = 0;
  unsigned parity = 0;  // of the ring's round

  __device__ __forceinline__ void next() {
    if (++stage < Tile::kStages) return;
    stage = 0;
    parity ^= 1;
  }
};

struct HopperProduct {
  float* c;
  std::int64_t ldc;
  int m, n, k;
  float alpha;
  float beta;
};

/// Calls work(row, col) for each tile of C that this block computes.
template <class Tile, class Work>
__device__ __forceinline__ void for_each_tile(const HopperProduct& p, const Work& work) {
  const int down = (p.m - 1) / Tile::kRows + 1;
  const std::int64_t across = (p.n - 1) / Tile::kCols + 1;
  for (std::int64_t tile = blockIdx.x; tile < down * across; tile += gridDim.x) {
    const auto group = static_cast<int>(tile / (Tile::kGroup * across));
    const int first = group * Tile::kGroup;
    const int rows = min(Tile::kGroup, down - first);
    const auto in_group = tile - first * across;
    work(static_cast<int>(first + in_group % rows) * Tile::kRows, static_cast<int>(in_group / rows) * Tile::kCols);
  }
}

/// Requests the boxes of a stage's operand: one box if k runs along the rows, else one for each slab.
template <Along along, int extent>
__device__ __forceinline__ void copy_operand(__nv_bfloat16* to, const CUtensorMap& map, int outer, int depth,
                                             Barrier& full) {
  if constexpr (along == Along::depth) {
    copy_box(to, map, depth, outer, full);
  } else {
    constexpr int kSlab = kSlabBytes / static_cast<int>(sizeof(__nv_bfloat16));
#pragma unroll
    for (int s = 0; s < extent / kSlabRows; ++s) copy_box(to + s * kSlab, map, outer + s * kSlabRows, depth, full);
  }
}

template <class Tile, Along a_along, Along b_along>
__device__ __forceinline__ void produce(const CUtensorMap& a, const CUtensorMap& b, const HopperProduct& p,
                                        Ring<Tile>& ring) {
  Position<Tile> at;
  for_each_tile<Tile>(p, [&](int row, int col) {
    for (int depth = 0; depth < p.k; depth += Tile::kDepth, at.next()) {
      auto& stage = ring.stages[at.stage];
      Barrier& full = ring.full[at.stage];
      ring.empty[at.stage].wait(at.parity ^ 1);  // in the first round all stages are empty
      full.arrive_and_expect(sizeof(stage.a) + sizeof(stage.b));
      copy_operand<a_along, Tile::kRows>(stage.a, a, row, depth, full);
      copy_operand<b_along, Tile::kCols>(stage.b, b, col, depth, full);
    }
  });
}

/// Writes a warpgroup's 64 rows of a tile, which begin at (row, col).
template <class Tile>
__device__ __forceinline__ void write(const HopperProduct& p, int row, int col, const float (&sums)[Tile::kCols / 2]) {
  const int thread = static_cast<int>(threadIdx.x) % kWarpgroup;
  const int i = row + thread / 32 * 16 + thread % 32 / 4;
  const int j = col + thread % 4 * 2;
  const bool pairs = p.ldc % 2 == 0 && reinterpret_cast<std::uintptr_t>(p.c) % sizeof(float2) == 0;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    if (i + half * 8 >= p.m) return;
    float* const to = p.c + (i + half * 8) * p.ldc;
#pragma unroll
    for (int e = 0; e < Tile::kCols / 8; ++e) {
      const int at = j + e * 8;
      float2 value = {p.alpha * sums[e * 4 + half * 2], p.alpha * sums[e * 4 + half * 2 + 1]};
      if (pairs && at + 1 < p.n) {
        auto* const pair = reinterpret_cast<float2*>(to + at);
        if (p.beta != 0) value = {value.x + p.beta * pair->x, value.y + p.beta * pair->y};
        *pair = value;
      } else {
        if (at < p.n) to[at] = p.beta == 0 ? value.x : value.x + p.beta * to[at];
        if (at + 1 < p.n) to[at + 1] = p.beta == 0 ? value.y : value.y + p.beta * to[at + 1];
      }
    }
  }
}

/// Multiplies what the producer copies. @param part  which 64 rows of a tile this warpgroup computes
template <class Tile, Along a_along, Along b_along>
__device__ __forceinline__ void consume(const HopperProduct& p, int part, Ring<Tile>& ring) {
  constexpr int kAStep = kStepBytes<a_along>;
  constexpr int kBStep = kStepBytes<b_along>;
  Position<Tile> at;
  for_each_tile<Tile>(p, [&](int row, int col) {
    float sums[Tile::kCols / 2];
    int previous = -1;
    for (int depth = 0; depth < p.k; depth += Tile::kDepth, at.next()) {
      const auto& stage = ring.stages[at.stage];
      const unsigned a = shared_address(stage.a) + static_cast<unsigned>(part * kSlabBytes);
      const unsigned b = shared_address(stage.b);
      ring.full[at.stage].wait(at.parity);
      begin_products();
#pragma unroll
      for (int l = 0; l < Tile::kDepth / 16; ++l) {
        multiply_add<a_along == Along::outer, b_along == Along::outer>(
            sums, operand_descriptor<a_along>(a + l * kAStep), operand_descriptor<b_along>(b + l * kBStep),
            depth > 0 || l > 0);
      }
      commit_products();
      wait_for_products<1>();  // the products of the previous stage
      if (previous >= 0 && threadIdx.x % 32 == 0) ring.empty[previous].arrive();
      previous = at.stage;
    }
    wait_for_products<0>();
    sums_arrive(sums);
    if (threadIdx.x % 32 == 0) ring.empty[previous].arrive();
    write<Tile>(p, row + part * kSlabRows, col, sums);
  });
}

/// @param a, b  boxes of the operands: see operand_map()
template <class Tile, Along a_along, Along b_along>
__global__ void __launch_bounds__(kThreads, 1)
    hopper_kernel(const __grid_constant__ CUtensorMap a, const __grid_constant__ CUtensorMap b,
                  const __grid_constant__ HopperProduct p) {
  extern __shared__ __align__(1024) unsigned char memory[];
  auto& ring = *reinterpret_cast<Ring<Tile>*>(memory);
  if (threadIdx.x == 0) {
    for (int s = 0; s < Tile::kStages; ++s) {
      ring.full[s].init(1);                              // the producer
      ring.empty[s].init(kConsumers * kWarpgroup / 32);  // a lane of each warp
    }
    publish_barriers();
  }
  __syncthreads();
  const int warpgroup = static_cast<int>(threadIdx.x) / kWarpgroup;
  if (warpgroup == 0) {
    shrink_registers<kProducerRegisters>();
    if (threadIdx.x == 0) produce<Tile, a_along, b_along>(a, b, p, ring);
  } else {
    grow_registers<kConsumerRegisters>();
    consume<Tile, a_along, b_along>(p, warpgroup - 1, ring);
  }
}

}  // namespace recombine::cuda::hopper
