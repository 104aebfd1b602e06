// Instructions on one thread's values. Each function below is compiled for the host and for the GPU, and must give the
// same results. Instructions that only a GPU has are written in PTX, next to host code with the same meaning.
#include <cstdint>

#include <cuda_bf16.h>

#include "tests/cuda_on_cpu/tests/check.cuh"

#ifdef __CUDA_ARCH__
#define PTX_OR_HOST(PTX, HOST) (PTX)
#else
#define PTX_OR_HOST(PTX, HOST) (HOST)
#endif

template <class F, class In, class Out>
__global__ void apply(const In* in, Out* out, int count) {
  for (int i = static_cast<int>(threadIdx.x); i < count * count; i += static_cast<int>(blockDim.x))
    out[i] = F()(in[i / count], in[i % count]);
}

/// Compares F on the GPU and on the host, for every pair of `inputs`.
template <class F, class In>
void compare(const char* what, const std::vector<In>& inputs, double tolerance = 0) {
  using Out = decltype(F()(In(), In()));
  const int count = static_cast<int>(inputs.size());
  const DeviceArray<In> in(inputs);
  const DeviceArray<Out> out(std::vector<Out>(inputs.size() * inputs.size()));
  apply<F><<<1, 32, 0, stream()>>>(in.data(), out.data(), count);
  const std::vector<Out> got = out.values();
  for (std::size_t i = 0; i < got.size(); ++i)
    expect_near(what, i, got[i], F()(inputs[i / inputs.size()], inputs[i % inputs.size()]), tolerance);
}

#define BINARY(NAME, TYPE, RESULT, ...)                                         \
  struct NAME {                                                                 \
    __host__ __device__ RESULT operator()(TYPE a, TYPE b) const { __VA_ARGS__ } \
  };

using i16 = std::int16_t;
using u16 = std::uint16_t;
using i32 = std::int32_t;
using u32 = std::uint32_t;
using i64 = std::int64_t;
using u64 = std::uint64_t;

BINARY(FloatArithmetic, float, float, return a * b - a / b + fmaf(a, b, 3.F) + fabsf(a) + (-b);)
BINARY(FloatLimits, float, float, return fminf(a, b) * 3 + fmaxf(a, 1.F);)
BINARY(FloatRoots, float, float, return sqrtf(a) + 1 / b + rsqrtf(fabsf(a));)
BINARY(FloatFunctions, float, float, return expf(a) + logf(b) + tanhf(a) + log1pf(b) + erff(a) + powf(fabsf(a), 0.3F);)
BINARY(FloatFast, float, float, return PTX_OR_HOST(__expf(a) + __logf(b), expf(a) + logf(b));)
BINARY(FloatRounding, float, float, return rintf(a) + floorf(b) * 10 + ceilf(a) * 100 + truncf(b) * 1000;)
BINARY(FloatChoice, float, int,
       return (a < b) + 2 * (a <= b) + 4 * (a == b) + 8 * (a != b) + 16 * !(a > b) + 32 * !(a >= b) + 64 * isnan(a) +
              128 * isinf(b) + 256 * (a < b && b < 3) + 512 * signbit(copysignf(a, b));)
BINARY(FloatToInt, float, i64, return static_cast<i64>(a) * 1000003 + static_cast<u64>(fabsf(b)) + static_cast<i32>(b);)
BINARY(DoubleArithmetic, double, double, return a * b - a / b + fma(a, b, 3.0) + fabs(a) - fmin(a, b) + sqrt(b);)
BINARY(DoubleFunctions, double, double, return exp(a) + log(b) + tanh(a) + 1 / b;)
BINARY(DoubleConversions, double, double,
       return static_cast<float>(a) + static_cast<double>(static_cast<i64>(b)) + rint(a);)
BINARY(IntArithmetic, i32, i32, return a / (b | 1) + a % (b | 1) + (a < b ? a : b) + (a > 7 ? a : 7) - abs(b / 2);)
BINARY(UnsignedArithmetic, u32, u32, return a / (b | 1) + a % (b | 1) + a * b - b + (a < b ? a : b);)
BINARY(WideProducts, i32, i64, return i64{a} * b + i64{static_cast<i16>(a)} * static_cast<u16>(b);)
BINARY(LongArithmetic, i64, i64,
       return a / (b | 1) + a % (b | 1) + static_cast<i64>(static_cast<u64>(a) * static_cast<u64>(b)) / 2;)
BINARY(LongHigh, u64, u64,
       return PTX_OR_HOST(__umul64hi(a, b), static_cast<u64>((static_cast<unsigned __int128>(a) * b) >> 64));)
BINARY(IntHigh, i32, i32, return PTX_OR_HOST(__mulhi(a, b), static_cast<i32>((i64{a} * b) >> 32));)
BINARY(Shifts, u64, u64,
       return (a << (b & 63)) ^ (a >> (b & 63)) ^ static_cast<u64>(static_cast<i64>(a) >> (b & 63)) ^
              (static_cast<u32>(a) << (b & 31)) ^ static_cast<u64>(static_cast<i32>(a) >> (b & 31));)
BINARY(Logic, u64, u64,
       return (a & b) ^ (a | ~b) ^ (static_cast<u16>(a) & 0x5aa5) ^ static_cast<u64>(static_cast<std::int8_t>(a));)
BINARY(Counts, u32, int, return PTX_OR_HOST(__popc(a) + __clz(b), __builtin_popcount(a) + (b ? __builtin_clz(b) : 32));)
BINARY(ToFloat, i64, float,
       return static_cast<float>(a) + static_cast<float>(static_cast<i32>(b)) +
              static_cast<float>(static_cast<u64>(b));)
BINARY(Rotation, u32, u32,
       return PTX_OR_HOST(__funnelshift_l(a, b, 7), (b << 7) | (a >> 25)) ^
              PTX_OR_HOST(__funnelshift_r(a, b, 7), (a >> 7) | (b << 25));)

__host__ __device__ inline u32 reversed(u32 x) {
  u32 result = 0;
  for (int i = 0; i < 32; ++i) result |= (x >> i & 1) << (31 - i);
  return result;
}

BINARY(BitReversal, u32, u32, return PTX_OR_HOST(__brev(a), reversed(a)) + b;)
BINARY(BytePermutation, u32, u32,
       return PTX_OR_HOST(__byte_perm(a, b, 0x6421),
                          (a >> 8 & 0xff) | (a >> 16 & 0xff) << 8 | (b & 0xff) << 16 | (b >> 16 & 0xff) << 24);)

__host__ __device__ inline u32 bit_fields(u32 a, u32 b) {
#ifdef __CUDA_ARCH__
  u32 unsigned_field, signed_field, inserted, chosen;
  asm("bfe.u32 %0, %1, 5, 9;" : "=r"(unsigned_field) : "r"(a));
  asm("bfe.s32 %0, %1, 5, 9;" : "=r"(signed_field) : "r"(a));
  asm("bfi.b32 %0, %1, %2, 4, 11;" : "=r"(inserted) : "r"(a), "r"(b));
  asm("lop3.b32 %0, %1, %2, %1, 0x3c;" : "=r"(chosen) : "r"(a), "r"(b));
  return unsigned_field ^ signed_field ^ inserted ^ chosen;
#else
  const u32 mask = 0x7ff << 4;
  const u32 signed_field = static_cast<u32>(static_cast<i32>(a << 18) >> 23);
  return (a >> 5 & 0x1ff) ^ signed_field ^ ((b & ~mask) | (a << 4 & mask)) ^ (a ^ b);
#endif
}
BINARY(BitFields, u32, u32, return bit_fields(a, b);)

__host__ __device__ inline float rounded_ways(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fadd_rz(a, b) + 2 * __fmaf_rd(a, b, 0.1F) + 4 * __fmul_ru(a, b);
#else
  const long double sum = static_cast<long double>(a) + b;
  auto zero = static_cast<float>(sum);
  if (fabsl(zero) > fabsl(sum)) zero = nextafterf(zero, 0);
  auto down = static_cast<float>(static_cast<long double>(a) * b + 0.1F);
  if (down > static_cast<long double>(a) * b + 0.1F) down = nextafterf(down, -INFINITY);
  auto up = static_cast<float>(static_cast<long double>(a) * b);
  if (up < static_cast<long double>(a) * b) up = nextafterf(up, INFINITY);
  return zero + 2 * down + 4 * up;
#endif
}
BINARY(RoundedWays, float, float, return rounded_ways(a, b);)

BINARY(Bf16Conversions, float, float, const __nv_bfloat162 pair = __floats2bfloat162_rn(a, b);
       return __low2float(pair) + 3 * __high2float(pair) + __bfloat162float(__float2bfloat16_rn(a * b));)
BINARY(Bf16Arithmetic, float, float, const __nv_bfloat16 x = __float2bfloat16_rn(a);
       const __nv_bfloat16 y = __float2bfloat16_rn(b);
       return __bfloat162float(__hadd(x, y)) + 3 * __bfloat162float(__hmul(x, y));)

__host__ __device__ inline float tanh_approximated(float a) {
#ifdef __CUDA_ARCH__
  asm("tanh.approx.f32 %0, %0;" : "+f"(a));
  return a;
#else
  return tanhf(a);
#endif
}
BINARY(FloatTanh, float, float, return tanh_approximated(a) + b;)

int warp_and_memory_failures();

int main() {
  const std::vector<float> floats{1.F, -2.5F, 0.1F, 3.75F, -0.49999997F, 7e3F, 2e-39F, -1e-3F, 16777217.F};
  const std::vector<float> special{0.F, -0.F, INFINITY, -INFINITY, NAN, 1.F, -3e9F, 5e18F, 2.5F, -7.5F};
  const std::vector<double> doubles{1, -2.5, 0.1, 1e-3, 123.456, 77.5};
  const std::vector<i32> ints{0, 1, -1, 7, -13, 65537, 2147483646, -2147483647};
  const std::vector<u32> words{0, 1, 0x80000000, 0xdeadbeef, 0x12345678, 0xffffffff};
  const std::vector<i64> longs{0, 1, -1, 1LL << 40, -(1LL << 62) + 3, 123456789012345};
  const std::vector<u64> quads{0, 1, 63, 0x8000000000000001, 0xdeadbeefcafebabe, ~u64{0}};

  compare<FloatArithmetic>("f32 arithmetic", floats);
  compare<FloatLimits>("f32 min, max", special);
  compare<FloatRoots>("f32 roots", floats, 1e-6);
  compare<FloatFunctions>("f32 functions", std::vector<float>{0.1F, 0.7F, 2.F, 5.F, 1e-4F}, 1e-5);
  compare<FloatFast>("f32 fast functions", std::vector<float>{0.1F, 0.7F, 2.F, 5.F, 1e-4F}, 1e-5);
  compare<FloatRounding>("f32 rounding", floats);
  compare<FloatChoice>("f32 comparisons", special);
  compare<FloatToInt>("f32 to integers", std::vector<float>{0.F, 1.5F, -2.5F, 1e6F, -1e5F, 0.99F});
  compare<FloatTanh>("tanh.approx", floats, 1e-5);
  compare<RoundedWays>("f32 directed rounding", std::vector<float>{1.F, -2.5F, 0.1F, 3.75F, -0.3F, 7e3F});
  compare<DoubleArithmetic>("f64 arithmetic", doubles);
  compare<DoubleFunctions>("f64 functions", std::vector<double>{0.1, 0.7, 2, 5}, 1e-12);
  compare<DoubleConversions>("f64 conversions", doubles);
  compare<IntArithmetic>("s32 arithmetic", ints);
  compare<UnsignedArithmetic>("u32 arithmetic", words);
  compare<WideProducts>("wide products", ints);
  compare<LongArithmetic>("s64 arithmetic", longs);
  compare<LongHigh>("u64 high product", quads);
  compare<IntHigh>("s32 high product", ints);
  compare<Shifts>("shifts", quads);
  compare<Logic>("logic", quads);
  compare<Counts>("popc, clz", words);
  compare<ToFloat>("integers to f32", longs, 1e-7);
  compare<Rotation>("funnel shifts", words);
  compare<BitReversal>("brev", words);
  compare<BytePermutation>("prmt", words);
  compare<BitFields>("bfe, bfi, lop3", words);
  compare<Bf16Conversions>("bf16 conversions", floats);
  compare<Bf16Arithmetic>("bf16 arithmetic", floats);
  const int failed = failures() + warp_and_memory_failures();
  std::puts(failed ? "failed" : "all right");
  return failed ? 1 : 0;
}
