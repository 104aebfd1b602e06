#include <type_traits>

#include "kernels/cuda/combine.hpp"
#include "kernels/cuda/elements.cuh"

namespace recombine::cuda {

namespace {

struct Sum {
  template <class T>
  __device__ __forceinline__ static T of(T a, T b) {
    if constexpr (std::is_integral_v<T>) {  // signed overflow is undefined in C++
      using Bits = std::make_unsigned_t<T>;
      return static_cast<T>(static_cast<Bits>(a) + static_cast<Bits>(b));
    } else {
      return a + b;
    }
  }
};

struct Max {
  template <class T>
  __device__ __forceinline__ static T of(T a, T b) {
    return a < b ? b : a;
  }
};

template <class T, class Op, int width>
struct CombineItem {
  const T* a;
  const T* b;
  T* to;
  std::int64_t size;

  __device__ __forceinline__ void operator()(std::int64_t /*row*/, std::int64_t j) const {
    const int count = pack_count<width>(size, j);
    const std::int64_t at = j * width;
    Pack<T, width> left = load_pack<width>(a + at, count);
    const Pack<T, width> right = load_pack<width>(b + at, count);
#pragma unroll
    for (int e = 0; e < width; ++e) left.at[e] = Op::of(left.at[e], right.at[e]);
    store_pack<width>(to + at, left, count);
  }
};

struct Call {
  ConstVectorView a;
  ConstVectorView b;
  VectorView to;
};

template <class T, class Op, int width>
void combine_packs(cudaStream_t stream, const Call& call) {
  const CombineItem<T, Op, width> item = {call.a.as<T>(), call.b.as<T>(), call.to.as<T>(), call.to.size};
  for_elements(stream, "combine", 1, ceil_div(call.to.size, std::int64_t{width}), item);
}

template <class Op, class T>
void combine_as(cudaStream_t stream, const Call& call) {
  packs_fit_vector(call.a) && packs_fit_vector(call.b) && packs_fit_vector(call.to)
      ? combine_packs<T, Op, kWide>(stream, call)
      : combine_packs<T, Op, 1>(stream, call);
}

template <class Op>
void combine_by(cudaStream_t stream, const Call& call) {
  switch (call.to.type) {
    case DataType::f32: return combine_as<Op, float>(stream, call);
    case DataType::f64: return combine_as<Op, double>(stream, call);
    case DataType::i64: return combine_as<Op, std::int64_t>(stream, call);
    case DataType::i32: return combine_as<Op, std::int32_t>(stream, call);
    case DataType::u8: return combine_as<Op, std::uint8_t>(stream, call);
    case DataType::bf16: break;
  }
  refuse_type("combine", call.to.type);
}

}  // namespace

void combine(cudaStream_t stream, Combination combination, ConstVectorView a, ConstVectorView b, VectorView to) {
  const Call call = {a, b, to};
  combination == Combination::sum ? combine_by<Sum>(stream, call) : combine_by<Max>(stream, call);
}

}  // namespace recombine::cuda
