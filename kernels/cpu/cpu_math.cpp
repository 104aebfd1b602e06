#include "kernels/cpu/cpu_math.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>

#include "kernels/ceil_div.hpp"
#include "kernels/cpu/activations.hpp"
#include "kernels/cpu/cast.hpp"
#include "kernels/cpu/fill.hpp"
#include "kernels/cpu/loops/loops.hpp"
#include "kernels/cpu/split_work.hpp"
#include "kernels/element_hash.hpp"
#include "kernels/error.hpp"
#include "kernels/math_checks.hpp"

namespace recombine::cpu {

namespace {

constexpr std::int64_t kSumPiece = 65536;  // elements of one partial sum, for any number of threads

/// Row `row` of a matrix of f32; null if the matrix is empty.
float* row_or_null(const MatrixView& m, std::int64_t row) { return m.data ? m.as<float>() + row * m.ld : nullptr; }

/// Calls loss_of(row, memory for the row's gradient or null) for each row, and adds the losses to *sums.
/// A gradient that is not f32 is computed in f32 first, and then rounded.
template <class Loss>
void add_losses(const ConstMatrixView& outputs, const MatrixView& gradient, LossSums* sums, const Loss& loss_of) {
  check_loss_gradient(outputs, gradient);
  const std::int64_t cols = outputs.cols;
  std::vector<RowLoss> losses(static_cast<std::size_t>(outputs.rows));
  const std::int64_t grain = kGrain / std::max<std::int64_t>(cols, 1) + 1;
  parallel_for(outputs.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    const bool rounds = gradient.data && gradient.type != DataType::f32;
    std::vector<float> row(static_cast<std::size_t>(rounds ? cols : 0));
    for (std::int64_t i = begin; i < end; ++i) {
      float* const to = rounds ? row.data() : row_or_null(gradient, i);
      losses[static_cast<std::size_t>(i)] = loss_of(i, to);
      if (rounds) cast_vector(vector_view(to, cols), as_vector(gradient.block(i, 0, 1, cols)));
    }
  });
  if (!sums) return;
  for (const RowLoss& row : losses) {
    sums->loss_sum += static_cast<double>(row.loss);
    sums->correct += static_cast<double>(row.correct);
  }
}

void gather_row(const ConstVectorView& from, float* to, const GatherRows& gather) {
  if (from.type == DataType::u8) {
    loops().gather_u8(from.as<std::uint8_t>(), to, from.size, gather.scale, gather.shift);
  } else {
    loops().gather_f32(from.as<float>(), to, from.size, gather.scale, gather.shift);
  }
}

/// The fingerprint of columns [begin, end) of row `row`.
std::uint64_t fingerprint_of(const Fingerprint& call, std::uint64_t key, std::int64_t row, std::int64_t begin,
                             std::int64_t end) {
  const std::int64_t from = row * call.block.ld + begin;
  const std::int64_t n = end - begin;
  const auto index = static_cast<std::uint64_t>((call.first_row + row) * call.global_cols + call.first_col + begin);
  switch (size_of(call.block.type)) {
    case 2: return loops().fingerprint.bits16(call.block.as<std::uint16_t>() + from, n, key, index);
    case 4: return loops().fingerprint.bits32(call.block.as<std::uint32_t>() + from, n, key, index);
    default: return loops().fingerprint.bits64(call.block.as<std::uint64_t>() + from, n, key, index);
  }
}

void clear(const VectorView& x) { std::memset(x.data, 0, static_cast<std::size_t>(x.bytes())); }

}  // namespace

void CpuMath::fill(Stream&, MatrixView x, const RandomFill& random) { fill_uniform(x, random); }

void CpuMath::cast(Stream&, ConstMatrixView from, MatrixView to) { cast_matrix(from, to); }

void CpuMath::gather_rows(Stream&, const GatherRows& gather) {
  const ConstMatrixView& source = gather.source;
  check_gather(gather);
  const std::int64_t* const rows = gather.rows.as<std::int64_t>();
  for (std::int64_t i = 0; i < gather.out.rows; ++i) {
    require(rows[i] >= 0 && rows[i] < source.rows, "row {} of a matrix with {} rows", rows[i], source.rows);
  }
  const std::int64_t cols = source.cols;
  for_rows(gather.out.rows, cols, [&](std::int64_t i) {
    const ConstVectorView from = as_vector(source.block(rows[i], 0, 1, cols));
    const VectorView out = as_vector(gather.out.block(i, 0, 1, cols));
    if (out.type == DataType::f32) return gather_row(from, out.as<float>(), gather);
    constexpr std::int64_t kPiece = 512;
    std::array<float, kPiece> piece;
    for (std::int64_t begin = 0; begin < cols; begin += kPiece) {
      const std::int64_t end = std::min(begin + kPiece, cols);
      gather_row(from.range(begin, end), piece.data(), gather);
      cast_vector(vector_view(piece.data(), end - begin), out.range(begin, end));
    }
  });
}

void CpuMath::gemm(Stream& stream, const Gemm& gemm) {
  const GemmShape shape = shape_of(gemm);
  if (gemm.c.empty()) return;
  Gemm product = gemm;
  Gemm rest = gemm;  // the part of bias and activation that the product does not apply
  if (shape.k == 0 || gemm.alpha == 0) {
    for (std::int64_t i = 0; i < shape.m; ++i) {
      const VectorView row = as_vector(gemm.c.block(i, 0, 1, shape.n));
      rounds_result(gemm) ? clear(row) : axpby(stream, 0, {}, gemm.beta, row);
    }
  } else if (gemm.alpha == 1 && gemm.activation != Activation::relu && fuses_epilogue(gemm, shape, vector_width())) {
    return gemm_.execute(gemm, shape);
  } else {  // libraries add the bias before they multiply by alpha; oneDNN's relu, maxps(x, 0), turns NaN into 0
    product.activation = Activation::identity;
    if (!rounds_result(gemm) || gemm.alpha != 1) product.bias = {};  // else it is added before C is rounded
    gemm_.execute(product, shape);
    if (product.bias.size > 0) rest.bias = {};
  }
  if (!has_epilogue(rest)) return;
  bias_activation(stream, {.in = gemm.c, .bias = rest.bias, .out = gemm.c, .activation = rest.activation});
}

void CpuMath::bias_activation(Stream&, const BiasActivation& call) { cpu::bias_activation(call); }

void CpuMath::activation_gradient(Stream&, const ActivationGradient& call) { cpu::activation_gradient(call); }

void CpuMath::softmax_cross_entropy(Stream&, const SoftmaxCrossEntropy& loss) {
  const std::int64_t* const rows = loss.rows.as<std::int64_t>();
  const std::int32_t* const labels = loss.labels.as<std::int32_t>();
  add_losses(loss.logits, loss.gradient, loss.sums, [&](std::int64_t i, float* gradient) {
    return loops().loss.softmax_cross_entropy(loss.logits.as<float>() + i * loss.logits.ld, loss.logits.cols,
                                              labels[rows[i]], gradient, loss.gradient_scale);
  });
}

void CpuMath::softmax_stats(Stream&, const SoftmaxStats& call) {
  const std::int64_t* const rows = call.rows.as<std::int64_t>();
  const std::int32_t* const labels = call.labels.as<std::int32_t>();
  for_rows(call.logits.rows, call.logits.cols, [&](std::int64_t i) {
    call.stats[i] = loops().loss.softmax_stats(call.logits.as<float>() + i * call.logits.ld, call.logits.cols,
                                               call.first_col, labels[rows[i]]);
  });
}

void CpuMath::softmax_from_stats(Stream&, const SoftmaxFromStats& loss) {
  const std::int64_t* const rows = loss.rows.as<std::int64_t>();
  const std::int32_t* const labels = loss.labels.as<std::int32_t>();
  const std::int64_t m = loss.logits.rows;
  add_losses(loss.logits, loss.gradient, loss.sums, [&](std::int64_t i, float* gradient) {
    return loops().loss.softmax_from_stats({.logits = loss.logits.as<float>() + i * loss.logits.ld,
                                            .cols = loss.logits.cols,
                                            .first_col = loss.first_col,
                                            .label = labels[rows[i]],
                                            .stats = loss.stats + i,
                                            .stats_ld = m,
                                            .parts = loss.parts,
                                            .gradient = gradient,
                                            .scale = loss.gradient_scale});
  });
}

void CpuMath::squared_error(Stream&, const SquaredError& loss) {
  check_squared_error(loss);
  const std::int64_t* const rows = loss.rows.as<std::int64_t>();
  add_losses(loss.outputs, loss.gradient, loss.sums, [&](std::int64_t i, float* gradient) {
    return loops().loss.squared_error({.outputs = loss.outputs.as<float>() + i * loss.outputs.ld,
                                       .targets = loss.targets.as<float>() + rows[i] * loss.targets.ld + loss.first_col,
                                       .cols = loss.outputs.cols,
                                       .global_cols = columns_of(loss),
                                       .gradient = gradient,
                                       .scale = loss.gradient_scale});
  });
}

void CpuMath::add_square_sum(Stream&, ConstVectorView x, double* sum) {
  const std::int64_t pieces = ceil_div(x.size, kSumPiece);
  std::vector<double> sums(static_cast<std::size_t>(pieces));
  parallel_for(pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      const std::int64_t first = p * kSumPiece;
      sums[static_cast<std::size_t>(p)] =
          loops().square_sum(x.as<float>() + first, std::min(kSumPiece, x.size - first));
    }
  });
  for (const double piece : sums) *sum += piece;
}

void CpuMath::fingerprint(Stream&, const Fingerprint& call) {
  check_fingerprint(call);
  if (call.block.empty()) return;
  const std::uint64_t key = mix64(call.tensor);
  const std::int64_t cols = call.block.cols;
  const std::int64_t pieces_of_row = ceil_div(cols, kSumPiece);
  std::atomic<std::uint64_t> sum = 0;
  parallel_for(call.block.rows * pieces_of_row, kGrain / std::min(cols, kSumPiece) + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 std::uint64_t part = 0;
                 for (std::int64_t p = begin; p < end; ++p) {
                   const std::int64_t first = p % pieces_of_row * kSumPiece;
                   part += fingerprint_of(call, key, p / pieces_of_row, first, std::min(first + kSumPiece, cols));
                 }
                 sum += part;
               });
  *call.sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(*call.sum) + sum);
}

void CpuMath::axpby(Stream&, double alpha, ConstVectorView x, double beta, VectorView y) {
  check_axpby(x, y);
  for_elements(y.size, kGrain, [&](std::int64_t begin, std::int64_t end) {
    if (y.type == DataType::f64) {
      loops().axpby_f64(alpha, x.data ? x.as<double>() + begin : nullptr, beta, y.as<double>() + begin, end - begin);
    } else {
      loops().axpby_f32(static_cast<float>(alpha), x.data ? x.as<float>() + begin : nullptr, static_cast<float>(beta),
                        y.as<float>() + begin, end - begin);
    }
  });
}

}  // namespace recombine::cpu
