#include "kernels/cuda/convert.cuh"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/launchers.hpp"

namespace recombine::cuda {

namespace {

template <class From, class To, int width>
struct GatherItem {
  static constexpr int kWidth = width;
  const From* source;
  std::int64_t source_ld;
  std::int64_t source_rows;
  const std::int64_t* rows;
  To* out;
  std::int64_t out_ld;
  float scale;
  float shift;

  struct Loaded {
    Pack<From, width> from;
    bool exists;  // the source has the row
  };

  __device__ __forceinline__ Loaded load(std::int64_t i, std::int64_t pack, int count) const {
    const std::int64_t row = rows[i];
    Loaded loaded = {{}, row >= 0 && row < source_rows};
    if (loaded.exists) loaded.from = load_pack<width>(source + row * source_ld + pack * width, count);
    return loaded;
  }

  __device__ __forceinline__ void store(std::int64_t i, std::int64_t pack, int count, const Loaded& loaded) const {
    Pack<float, width> to;
#pragma unroll
    for (int e = 0; e < width; ++e) {
      const float value = static_cast<float>(loaded.from.at[e]) * scale + shift;
      to.at[e] = loaded.exists ? value : __uint_as_float(0x7fffffff);
    }
    store_pack<width>(out + i * out_ld + pack * width, converted_pack<To>(to), count);
  }
};

template <class From, class To, int width>
void gather_packs(cudaStream_t stream, const GatherRows& gather) {
  const GatherItem<From, To, width> item = {
      gather.source.as<From>(), gather.source.ld, gather.source.rows, gather.rows.as<std::int64_t>(),
      gather.out.as<To>(),      gather.out.ld,    gather.scale,       gather.shift};
  for_packs(stream, "gather_rows", gather.out.rows, gather.out.cols, item);
}

template <class From, class To>
void gather_as(cudaStream_t stream, const GatherRows& gather) {
  packs_fit_matrix(gather.source) && packs_fit_matrix(gather.out) ? gather_packs<From, To, kWide>(stream, gather)
                                                                  : gather_packs<From, To, 1>(stream, gather);
}

template <class From>
void gather_from(cudaStream_t stream, const GatherRows& gather) {
  switch (gather.out.type) {
    case DataType::f32: return gather_as<From, float>(stream, gather);
    case DataType::bf16: return gather_as<From, BFloat16>(stream, gather);
    default: refuse_type("gather_rows", gather.out.type);
  }
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
