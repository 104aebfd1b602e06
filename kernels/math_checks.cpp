#include "kernels/math_checks.hpp"

#include "kernels/error.hpp"

namespace recombine {

namespace {

bool is_f32_or_bf16(DataType type) { return type == DataType::f32 || type == DataType::bf16; }

}  // namespace

void check_gather(const GatherRows& gather) {
  const ConstMatrixView& source = gather.source;
  require(
      (source.type == DataType::u8 || source.type == DataType::f32) && is_f32_or_bf16(gather.out.type) &&
          source.cols == gather.out.cols && gather.rows.size >= gather.out.rows,
      "cannot gather {} rows of {} [{},{}] into {} [{},{}]; expected u8 or f32 into f32 or bf16, equal columns, and "
      "enough rows",
      gather.rows.size, name_of(source.type), source.rows, source.cols, name_of(gather.out.type), gather.out.rows,
      gather.out.cols);
}

void check_loss_gradient(const ConstMatrixView& outputs, const MatrixView& gradient) {
  require(!gradient.data ||
              (is_f32_or_bf16(gradient.type) && gradient.rows == outputs.rows && gradient.cols == outputs.cols),
          "a gradient {} [{},{}] of outputs [{},{}]; expected f32 or bf16, and equal shapes", name_of(gradient.type),
          gradient.rows, gradient.cols, outputs.rows, outputs.cols);
}

void check_axpby(ConstVectorView x, ConstVectorView y) {
  require(y.type == DataType::f32 || y.type == DataType::f64, "cannot add {}; expected f32 or f64", name_of(y.type));
  require(!x.data || (x.type == y.type && x.size >= y.size),
          "cannot add {} {} to {} {}; expected the same type and size", x.size, name_of(x.type), y.size,
          name_of(y.type));
}

void check_fingerprint(const Fingerprint& call) {
  const ConstMatrixView& block = call.block;
  require(block.type == DataType::f32 || block.type == DataType::f64 || block.type == DataType::bf16,
          "a fingerprint of {}; expected f32, f64 or bf16", name_of(block.type));
  require(call.first_row >= 0 && call.first_col >= 0 && call.first_col + block.cols <= call.global_cols,
          "a fingerprint of columns {} to {}; expected columns of a tensor with {} columns", call.first_col,
          call.first_col + block.cols, call.global_cols);
}

void check_squared_error(const SquaredError& loss) {
  const std::int64_t end = loss.first_col + loss.outputs.cols;
  require(loss.rows.size >= loss.outputs.rows && loss.targets.cols == columns_of(loss) && loss.first_col >= 0 &&
              end <= loss.targets.cols,
          "{} targets [.,{}] for outputs [{},{}], columns {} to {} of {}; expected a target for every output",
          loss.rows.size, loss.targets.cols, loss.outputs.rows, loss.outputs.cols, loss.first_col, end,
          columns_of(loss));
}

}  // namespace recombine
