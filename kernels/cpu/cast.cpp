#include "kernels/cpu/cast.hpp"

#include <cstring>

#include "kernels/cpu/loops/loops.hpp"
#include "kernels/cpu/split_work.hpp"
#include "kernels/error.hpp"

namespace recombine::cpu {

namespace {

template <class Byte>
auto bf16_bits(const BasicVectorView<Byte>& v) {
  return v.template as<std::uint16_t>();
}

bool is_real(DataType type) { return type == DataType::f32 || type == DataType::f64 || type == DataType::bf16; }

}  // namespace

void cast_vector(const ConstVectorView& from, const VectorView& to) {
  const CastLoops& cast = loops().cast;
  const bool to_f64 = to.type == DataType::f64;
  const bool to_f32 = to.type == DataType::f32;
  if (from.size == 0) return;
  if (from.type == to.type) {
    std::memmove(to.data, from.data, static_cast<std::size_t>(from.bytes()));
  } else if (from.type == DataType::f32) {
    to_f64 ? cast.f32_to_f64(from.as<float>(), to.as<double>(), from.size)
           : cast.f32_to_bf16(from.as<float>(), bf16_bits(to), from.size);
  } else if (from.type == DataType::f64) {
    to_f32 ? cast.f64_to_f32(from.as<double>(), to.as<float>(), from.size)
           : cast.f64_to_bf16(from.as<double>(), bf16_bits(to), from.size);
  } else {
    to_f32 ? cast.bf16_to_f32(bf16_bits(from), to.as<float>(), from.size)
           : cast.bf16_to_f64(bf16_bits(from), to.as<double>(), from.size);
  }
}

void cast_matrix(const ConstMatrixView& from, const MatrixView& to) {
  require(is_real(from.type) && is_real(to.type) && from.rows == to.rows && from.cols == to.cols,
          "cannot cast {} [{},{}] to {} [{},{}]; expected f32, f64 or bf16, and equal shapes", name_of(from.type),
          from.rows, from.cols, name_of(to.type), to.rows, to.cols);
  if (from.contiguous() && to.contiguous()) {
    for_elements(from.rows * from.cols, kGrain, [&](std::int64_t begin, std::int64_t end) {
      cast_vector(as_vector(from).range(begin, end), as_vector(to).range(begin, end));
    });
  } else {
    for_rows(from.rows, from.cols, [&](std::int64_t i) {
      cast_vector(as_vector(from.block(i, 0, 1, from.cols)), as_vector(to.block(i, 0, 1, to.cols)));
    });
  }
}

}  // namespace recombine::cpu
