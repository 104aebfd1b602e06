#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"

namespace recombine::cuda {

namespace {

/// y = alpha x + beta y. x may be null; y is not read if beta = 0.
template <class T, int width>
struct AxpbyItem {
  T alpha;
  const T* x;
  T beta;
  T* y;
  std::int64_t y_ld;  // also of x
  std::int64_t cols;

  __device__ __forceinline__ void operator()(std::int64_t i, std::int64_t j) const {
    const int count = pack_count<width>(cols, j);
    const std::int64_t at = i * y_ld + j * width;
    Pack<T, width> sum{};
    if (x) {
      const Pack<T, width> term = load_pack<width>(x + at, count);
#pragma unroll
      for (int e = 0; e < width; ++e) sum.at[e] = alpha * term.at[e];
    }
    if (beta != 0) {
      const Pack<T, width> term = load_pack<width>(y + at, count);
#pragma unroll
      for (int e = 0; e < width; ++e) sum.at[e] += beta * term.at[e];
    }
    store_pack<width>(y + at, sum, count);
  }
};

template <int width>
struct ClearItem {
  BFloat16* y;
  std::int64_t y_ld;
  std::int64_t cols;

  __device__ __forceinline__ void operator()(std::int64_t i, std::int64_t j) const {
    store_pack<width>(y + i * y_ld + j * width, Pack<BFloat16, width>{}, pack_count<width>(cols, j));
  }
};

template <int width>
void clear_packs(cudaStream_t stream, const char* name, const MatrixView& y) {
  const ClearItem<width> item = {y.as<BFloat16>(), y.ld, y.cols};
  for_elements(stream, name, y.rows, ceil_div(y.cols, width), item);
}

struct Axpby {
  double alpha;
  ConstVectorView x;
  double beta;
  MatrixView y;
};

template <class T, int width>
void axpby_packs(cudaStream_t stream, const char* name, const Axpby& call) {
  const AxpbyItem<T, width> item = {
      static_cast<T>(call.alpha), call.x.as<T>(), static_cast<T>(call.beta), call.y.as<T>(), call.y.ld, call.y.cols};
  for_elements(stream, name, call.y.rows, ceil_div(call.y.cols, width), item);
}

template <class T>
void axpby_as(cudaStream_t stream, const char* name, const Axpby& call) {
  packs_fit_vector(call.x) && packs_fit_matrix(call.y) ? axpby_packs<T, kWide>(stream, name, call)
                                                       : axpby_packs<T, 1>(stream, name, call);
}

void run(cudaStream_t stream, const char* name, const Axpby& call) {
  switch (call.y.type) {
    case DataType::f32: return axpby_as<float>(stream, name, call);
    case DataType::f64: return axpby_as<double>(stream, name, call);
    case DataType::bf16:  // a product rounds to bf16 only with beta = 0
      return packs_fit_matrix<kWideBf16>(call.y) ? clear_packs<kWideBf16>(stream, name, call.y)
                                                 : clear_packs<1>(stream, name, call.y);
    default: refuse_type(name, call.y.type);
  }
}

}  // namespace

void axpby(cudaStream_t stream, double alpha, ConstVectorView x, double beta, VectorView y) {
  run(stream, "axpby", {alpha, x, beta, as_matrix(y, 1, y.size)});
}

void scale_matrix(cudaStream_t stream, double beta, MatrixView c) {
  run(stream, "scale_matrix", {0, {}, beta, flattened(c)});
}

}  // namespace recombine::cuda
