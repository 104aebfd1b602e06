// C = A B by tiles: a block of threads computes a 128 x 128 tile of C; its threads share the elements that they read.
//
//                                      B
//                              +-----+-----+-----+      For each step of 8 along k:
//                              |     |#####|     |        1. all 256 threads begin to read the next tiles of A and B
//                    8 rows,   +-----+#####+-----+           from memory into registers;
//                128 columns   |     |  v  |     |        2. each thread multiplies the present tiles, which are in
//                              +-----+-----+-----+           shared memory, into 8 x 8 sums in its registers: for
//            +----+---+---+    +-----+-----+-----+           each of the 8, 8 numbers of A and 8 of B give 64
//            |    |   |   |    |     |     |     |           products;
//            +----+---+---+    +-----+-----+-----+        3. it writes what has arrived to the other buffer.
//  128 rows  |####|-->|   |    |     |#####|     |
//  of A, 8   +----+---+---+    +-----+-----+-----+      An element is read from memory once for 128 uses, and from
//  columns         A                   C                shared memory once for 8. Memory is read while the block
//                                                       multiplies.
//
// The 8 x 8 sums of a thread are four squares of 4 x 4, 64 apart. So threads that read at the same time read
// neighbours:
//
//                         64            64
//                   +-------------+-------------+
//                64 | t0 t1 t2 .. | t0 t1 t2 .. |        In shared memory, k is the slowest index of a tile, so a
//                   | t16 ..      | t16 ..      |        thread reads 4 neighbours at once (2 in f64).
//                   +-------------+-------------+
//                64 | t0 t1 t2 .. | t0 t1 t2 .. |        Outside A and B a tile holds zeros, which add nothing.
//                   | t16 ..      | t16 ..      |
//                   +-------------+-------------+

#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/launchers.hpp"
#include "kernels/cuda/operand.cuh"

namespace recombine::cuda {

namespace {

constexpr int kTile = 128;          // rows and columns of C
constexpr int kDepth = 8;           // of k in a step
constexpr int kSide = 16;           // threads along each side
constexpr int kSquare = 4;          // rows and columns of a square
constexpr int kHalf = kTile / 2;    // from a square to the next
constexpr int kEach = 2 * kSquare;  // rows and columns of a thread
constexpr int kThreads = kSide * kSide;
constexpr int kPitch = kTile + 4;  // row length of a tile in shared memory: spreads a column over the banks

template <class Sum>
using Tile = Sum[kDepth][kPitch];

/// One thread's part of copying an operand's tiles: kCount elements of each tile, from memory through registers to
/// shared memory. Neighbouring threads read neighbouring elements. (The caller passes B transposed, so the same
/// code copies it.)
template <class T, class Sum>
class TileCopy {
 public:
  /// @param first  row of the operand where the tiles begin
  __device__ __forceinline__ TileCopy(const Operand<T>& x, std::int64_t first, std::int64_t rows)
      : along_depth_(x.col_stride == 1),
        col_(along_depth_ ? thread() % kDepth : thread() / kTile),
        next_(along_depth_ ? kRowStep * x.row_stride : kColStep * x.col_stride) {
    const int row = along_depth_ ? thread() / kDepth : thread() % kTile;
    const int inside = static_cast<int>(min(rows - first, std::int64_t{kTile})) - row;
    most_ = along_depth_ ? (inside + kRowStep - 1) / kRowStep : inside > 0 ? kCount : 0;
    from_ = x.data + (first + row) * x.row_stride + col_ * x.col_stride;
    to_ = col_ * kPitch + row;
  }

  /// Begins to read the next tile. @param depth  elements of k that are left; if not positive, nothing is read
  __device__ __forceinline__ void read(std::int64_t depth) {
    const int inside = static_cast<int>(min(depth, std::int64_t{kDepth})) - col_;
    const int count = along_depth_ ? (inside > 0 ? most_ : 0) : min(most_, (inside + kColStep - 1) / kColStep);
    const T* from = from_;
#pragma unroll
    for (int e = 0; e < kCount; ++e, from += next_) held_[e] = e < count ? *from : T{};
    from_ = along_depth_ ? from_ + kDepth : from;
  }

  /// Waits for the elements, and writes them.
  __device__ __forceinline__ void write(Tile<Sum>& tile) const {
    Sum* const to = &tile[0][0] + to_;
    const int step = along_depth_ ? kRowStep : kColStep * kPitch;
#pragma unroll
    for (int e = 0; e < kCount; ++e) to[e * step] = converted<Sum>(held_[e]);
  }

 private:
  static constexpr int kCount = kTile * kDepth / kThreads;
  static constexpr int kRowStep = kThreads / kDepth;  // from a thread's element to its next one if k runs along
  static constexpr int kColStep = kThreads / kTile;   // the rows, and if it does not

  __device__ static int thread() { return static_cast<int>(threadIdx.y * kSide + threadIdx.x); }

  bool along_depth_;   // k runs along the rows
  int col_;            // column of the thread's first element in a tile
  std::int64_t next_;  // from a thread's element to its next one, in memory
  int most_;           // elements of a whole tile that are inside the operand
  const T* from_;
  int to_;  // offset in a tile
  T held_[kCount];
};

template <class T>
__device__ __forceinline__ Operand<T> transposed(const Operand<T>& x) {
  return {x.data, x.col_stride, x.row_stride};
}

/// Position in a tile of a thread's element e. @param at  position of the thread's first square
__device__ __forceinline__ int position(int at, int e) { return at + e / kSquare * kHalf + e % kSquare; }

/// Reads a thread's 8 numbers of a row of a tile: two squares of 4 neighbours.
template <class Sum>
__device__ __forceinline__ void read_row(const Sum (&row)[kPitch], int at, Sum (&to)[kEach]) {
  struct alignas(16) Chunk {  // the largest read of a thread
    Sum x[16 / sizeof(Sum)];
  };
  constexpr int kChunk = 16 / static_cast<int>(sizeof(Sum));
#pragma unroll
  for (int e = 0; e < kEach; e += kChunk) {
    const Chunk chunk = *reinterpret_cast<const Chunk*>(&row[position(at, e)]);
#pragma unroll
    for (int i = 0; i < kChunk; ++i) to[e + i] = chunk.x[i];
  }
}

/// sums += A B, for one step along k. @param row, col  position of the thread's first square
template <class Sum>
__device__ __forceinline__ void multiply_tiles(const Tile<Sum>& a_tile, const Tile<Sum>& b_tile, int row, int col,
                                               Sum (&sums)[kEach][kEach]) {
#pragma unroll 2  // more needs more registers than a thread has if two blocks share a multiprocessor
  for (int l = 0; l < kDepth; ++l) {
    Sum a[kEach];
    Sum b[kEach];
    read_row(a_tile[l], row, a);
    read_row(b_tile[l], col, b);
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
#pragma unroll
      for (int j = 0; j < kEach; ++j) sums[i][j] += a[i] * b[j];
    }
  }
}

constexpr int blocks_at_once(std::size_t bytes_of_sum) { return bytes_of_sum > 4 ? 1 : 2; }  // on a multiprocessor

template <class T, class Sum, class Out>
__global__ void __launch_bounds__(kThreads, blocks_at_once(sizeof(Sum)))
    tiled_kernel(Product<T, Sum, Out> p, unsigned tiles_across) {
  __shared__ __align__(16) Tile<Sum> a_tiles[2];
  __shared__ __align__(16) Tile<Sum> b_tiles[2];
  const std::int64_t first_row = std::int64_t{blockIdx.x / tiles_across} * kTile;
  const std::int64_t first_col = std::int64_t{blockIdx.x % tiles_across} * kTile;
  const int row = static_cast<int>(threadIdx.y) * kSquare;
  const int col = static_cast<int>(threadIdx.x) * kSquare;
  TileCopy<T, Sum> a(p.a, first_row, p.m);
  TileCopy<T, Sum> b(transposed(p.b), first_col, p.n);
  Sum sums[kEach][kEach] = {};
  a.read(p.k);
  b.read(p.k);
  a.write(a_tiles[0]);
  b.write(b_tiles[0]);
  __syncthreads();
  int buffer = 0;
  for (std::int64_t depth = p.k; depth > 0; depth -= kDepth, buffer = 1 - buffer) {
    a.read(depth - kDepth);  // after the last tile: zeros
    b.read(depth - kDepth);
    multiply_tiles<Sum>(a_tiles[buffer], b_tiles[buffer], row, col, sums);
    a.write(a_tiles[1 - buffer]);
    b.write(b_tiles[1 - buffer]);
    __syncthreads();  // the other buffer is complete, and no thread reads this one any more
  }
  const std::int64_t i = first_row + row;
  const std::int64_t j = first_col + col;
  const int cols = static_cast<int>(min(p.n - j, std::int64_t{kTile}));  // of C, from j
#pragma unroll
  for (int e = 0; e < kEach; ++e) {
    if (i + position(0, e) >= p.m) break;
#pragma unroll
    for (int f = 0; f < kEach; ++f) {
      if (position(0, f) < cols) p.write(i + position(0, e), j + position(0, f), sums[e][f]);
    }
  }
}

template <class T, class Sum, class Out = Sum>
void tiled(cudaStream_t stream, const Gemm& gemm) {
  const Product<T, Sum, Out> p = product_of<T, Sum, Out>(gemm);
  const auto across = static_cast<unsigned>(ceil_div(p.n, kTile));
  const auto blocks = static_cast<unsigned>(across * ceil_div(p.m, kTile));
  tiled_kernel<<<blocks, dim3(kSide, kSide), 0, stream>>>(p, across);
  check_launch("gemm_tiled");
}

}  // namespace

void gemm_tiled(cudaStream_t stream, const Gemm& gemm) {
  switch (gemm.a.type) {
    case DataType::f32: return tiled<float, float>(stream, gemm);
    case DataType::f64: return tiled<double, double>(stream, gemm);
    case DataType::bf16:
      return gemm.c.type == DataType::bf16 ? tiled<BFloat16, float, BFloat16>(stream, gemm)
                                           : tiled<BFloat16, float>(stream, gemm);
    default: refuse_type("gemm_tiled", gemm.a.type);
  }
}

}  // namespace recombine::cuda
