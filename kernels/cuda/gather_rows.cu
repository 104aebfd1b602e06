#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"

namespace recombine::cuda {

namespace {

template <class From, int width>
struct GatherItem {
  const From* source;
  std::int64_t source_ld;
  std::int64_t source_rows;
  const std::int64_t* rows;
  float* out;
  std::int64_t out_ld;
  std::int64_t cols;
  float scale;
  float shift;

  __device__ __forceinline__ void operator()(std::int64_t i, std::int64_t j) const {
    const int count = pack_count<width>(cols, j);
    const std::int64_t row = rows[i];
    Pack<float, width> to;
    if (row >= 0 && row < source_rows) {
      const Pack<From, width> from = load_pack<width>(source + row * source_ld + j * width, count);
#pragma unroll
      for (int e = 0; e < width; ++e) to.at[e] = static_cast<float>(from.at[e]) * scale + shift;
    } else {
#pragma unroll
      for (int e = 0; e < width; ++e) to.at[e] = __uint_as_float(0x7fffffff);
    }
    store_pack<width>(out + i * out_ld + j * width, to, count);
  }
};

template <class From, int width>
void gather_packs(cudaStream_t stream, const GatherRows& gather) {
  const GatherItem<From, width> item = {gather.source.as<From>(),
                                        gather.source.ld,
                                        gather.source.rows,
                                        gather.rows.as<std::int64_t>(),
                                        gather.out.as<float>(),
                                        gather.out.ld,
                                        gather.out.cols,
                                        gather.scale,
                                        gather.shift};
  for_elements(stream, "gather_rows", gather.out.rows, ceil_div(gather.out.cols, width), item);
}

template <class From>
void gather_from(cudaStream_t stream, const GatherRows& gather) {
  packs_fit_matrix(gather.source) && packs_fit_matrix(gather.out) ? gather_packs<From, kWide>(stream, gather)
                                                                  : gather_packs<From, 1>(stream, gather);
}

}  // namespace

void gather_rows(cudaStream_t stream, const GatherRows& gather) {
  switch (gather.source.type) {
    case DataType::u8: return gather_from<std::uint8_t>(stream, gather);
    case DataType::f32: return gather_from<float>(stream, gather);
    default: refuse_type("gather_rows", gather.source.type);
  }
}

}  // namespace recombine::cuda
