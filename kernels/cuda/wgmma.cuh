#pragma once

#include <cstdint>

/// Products of a warpgroup: the tensor cores read their operands from shared memory, and four warps hold the sums.
/// NVIDIA, "Parallel Thread Execution ISA", section wgmma.
namespace recombine::cuda::hopper {

constexpr int kWarpgroup = 128;  // threads

/// How an operand of a product is stored in shared memory: in slabs of 64 rows of 128 bytes, swizzled as the copy
/// engine writes them. Chunk c (16 bytes) of row r is at chunk c ^ (r % 8), so a column of chunks uses different banks.
///
///    k along the rows: a slab is 64 of m x 64 of k        m along the rows: a slab is 64 of k x 64 of m
///
///            k -->                                                m -->
///       m  +--+--+--+--+  the next 16 of k are              k   +-----------+  the next 16 of k are
///       |  |  |  |  |  |  32 bytes further                  |   +-----------+  16 rows of 128 bytes further
///       v  |  |  |  |  |                                    v   +-----------+
///          +--+--+--+--+  the next slab has the                 +-----------+  the next slab has the
///                         next 64 rows                                         next 64 columns
///
/// For B, use the rows of its transpose: n instead of m.
enum class Along { depth, outer };

constexpr int kSlabRows = 64;
constexpr int kRowBytes = 128;
constexpr int kSlabBytes = kSlabRows * kRowBytes;

/// Bytes from the operand of one product to the operand of the next product, which is 16 further along k.
template <Along along>
constexpr int kStepBytes = along == Along::depth ? 32 : 16 * kRowBytes;

/// Describes an operand to wgmma. Fields of 14 bits count in units of 16 bytes:
///     bits 0-13   address of the first element
///     bits 16-29  "leading" offset: from a slab to the next one; not used if k runs along the rows
///     bits 32-45  "stride" offset: from a group of 8 rows to the next one
///     bits 62-63  1: swizzle of 128 bytes
/// @param address  in shared memory, in a slab that begins at a multiple of 1024
template <Along along>
__device__ __forceinline__ std::uint64_t operand_descriptor(unsigned address) {
  constexpr std::uint64_t kLeading = along == Along::outer ? kSlabBytes / 16 : 0;
  constexpr std::uint64_t kStride = 8 * kRowBytes / 16;
  return std::uint64_t{1} << 62 | kStride << 32 | kLeading << 16 | (address & 0x3ffff) >> 4;
}

/// Orders earlier uses of the sums' registers before the next multiply_add().
__device__ __forceinline__ void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

/// Makes a group of all products since the last call.
__device__ __forceinline__ void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

/// Waits until at most `groups` groups are not finished.
template <int groups>
__device__ __forceinline__ void wait_for_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(groups) : "memory");
}

/// Tells the compiler that the sums change here. Otherwise it might read them before the wait.
template <int size>
__device__ __forceinline__ void sums_arrive(float (&sums)[size]) {
#pragma unroll
  for (int i = 0; i < size; ++i) asm volatile("" : "+f"(sums[i])::"memory");
}

/// Sets the number of registers of each thread of a warpgroup. One warpgroup gives up the registers that another takes.
template <int count>
__device__ __forceinline__ void shrink_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(count));
}
template <int count>
__device__ __forceinline__ void grow_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(count));
}

#define RECOMBINE_8(i)                                                                                        \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), \
      "+f"(d[i + 7])

/// d [64 x 256] += A [64 x 16] B [16 x 256] in bf16, by a warpgroup; d = A B if `add` is 0. The operands are in shared
/// memory; `a` and `b` are their descriptors. Only begins the product: d has its values after wait_for_products().
/// Lane l of warp w holds two pairs of neighbours for each j: d[4 j], d[4 j + 1] are in row 16 w + l / 4, and
/// d[4 j + 2], d[4 j + 3] are 8 rows below. Both pairs begin at column 8 j + 2 (l % 4).
/// @tparam a_across, b_across  0: k runs along the rows of the operand in shared memory; 1: m or n runs along them
template <int a_across, int b_across>
__device__ __forceinline__ void multiply_add(float (&d)[128], std::uint64_t a, std::uint64_t b, int add) {
  asm volatile(
      "{\n"
      ".reg .pred add;\n"
      "setp.ne.b32 add, %130, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
      "%128, %129, add, 1, 1, %131, %132;\n"
      "}"
      : RECOMBINE_8(0), RECOMBINE_8(8), RECOMBINE_8(16), RECOMBINE_8(24), RECOMBINE_8(32), RECOMBINE_8(40),
        RECOMBINE_8(48), RECOMBINE_8(56), RECOMBINE_8(64), RECOMBINE_8(72), RECOMBINE_8(80), RECOMBINE_8(88),
        RECOMBINE_8(96), RECOMBINE_8(104), RECOMBINE_8(112), RECOMBINE_8(120)
      : "l"(a), "l"(b), "r"(add), "n"(a_across), "n"(b_across));
}

/// As above, for d [64 x 128] and B [16 x 128].
template <int a_across, int b_across>
__device__ __forceinline__ void multiply_add(float (&d)[64], std::uint64_t a, std::uint64_t b, int add) {
  asm volatile(
      "{\n"
      ".reg .pred add;\n"
      "setp.ne.b32 add, %66, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
      "%64, %65, add, 1, 1, %67, %68;\n"
      "}"
      : RECOMBINE_8(0), RECOMBINE_8(8), RECOMBINE_8(16), RECOMBINE_8(24), RECOMBINE_8(32), RECOMBINE_8(40),
        RECOMBINE_8(48), RECOMBINE_8(56)
      : "l"(a), "l"(b), "r"(add), "n"(a_across), "n"(b_across));
}

#undef RECOMBINE_8

}  // namespace recombine::cuda::hopper
