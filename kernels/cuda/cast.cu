#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"

namespace recombine::cuda {

namespace {

template <class From, class To, int width>
struct CastItem {
  static constexpr int kWidth = width;
  const From* from;
  std::int64_t from_ld;
  To* to;
  std::int64_t to_ld;

  __device__ __forceinline__ Pack<From, width> load(std::int64_t i, std::int64_t pack, int count) const {
    return load_pack<width>(from + i * from_ld + pack * width, count);
  }
  __device__ __forceinline__ void store(std::int64_t i, std::int64_t pack, int count,
                                        const Pack<From, width>& in) const {
    store_pack<width>(to + i * to_ld + pack * width, converted_pack<To>(in), count);
  }
};

template <class From, class To, int width>
void cast_packs(cudaStream_t stream, const ConstMatrixView& from, const MatrixView& to) {
  const CastItem<From, To, width> item = {from.as<From>(), from.ld, to.as<To>(), to.ld};
  for_packs(stream, "cast", from.rows, from.cols, item);
}

template <class From, class To>
void cast_as(cudaStream_t stream, ConstMatrixView from, MatrixView to) {
  if (from.contiguous() && to.contiguous()) {
    from = flattened(from);
    to = flattened(to);
  }
  packs_fit_matrix(from) && packs_fit_matrix(to) ? cast_packs<From, To, kWide>(stream, from, to)
                                                 : cast_packs<From, To, 1>(stream, from, to);
}

template <class From>
void cast_from(cudaStream_t stream, const ConstMatrixView& from, const MatrixView& to) {
  switch (to.type) {
    case DataType::f32: return cast_as<From, float>(stream, from, to);
    case DataType::f64: return cast_as<From, double>(stream, from, to);
    case DataType::bf16: return cast_as<From, BFloat16>(stream, from, to);
    default: refuse_type("cast", to.type);
  }
}

}  // namespace

void cast(cudaStream_t stream, ConstMatrixView from, MatrixView to) {
  switch (from.type) {
    case DataType::f32: return cast_from<float>(stream, from, to);
    case DataType::f64: return cast_from<double>(stream, from, to);
    case DataType::bf16: return cast_from<BFloat16>(stream, from, to);
    default: refuse_type("cast", from.type);
  }
}

}  // namespace recombine::cuda
