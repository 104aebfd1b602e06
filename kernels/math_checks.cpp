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

void check_bias_activation(const BiasActivation& call) {
  const ConstMatrixView& in = call.in;
  const MatrixView& out = call.out;
  require(in.rows == out.rows && in.cols == out.cols, "an activation of [{},{}] into [{},{}]; expected equal shapes",
          in.rows, in.cols, out.rows, out.cols);
  const bool rounds = out.type == DataType::bf16 && in.type == DataType::f32;
  require((is_f32_or_bf16(out.type) && in.type == out.type) || rounds,
          "an activation of {} into {}; expected f32 or bf16 into the same type, or f32 into bf16", name_of(in.type),
          name_of(out.type));
  require(call.bias.size == 0 || (call.bias.size == out.cols && call.bias.type == out.type),
          "a bias of {} {} for {} columns of {}; expected one per column, of the same type", call.bias.size,
          name_of(call.bias.type), out.cols, name_of(out.type));
}

void check_activation_gradient(const ActivationGradient& call) {
  const ConstMatrixView incoming = incoming_of(call);
  const MatrixView& gradient = call.gradient;
  const auto fits = [&](const ConstMatrixView& m) { return m.rows == gradient.rows && m.cols == gradient.cols; };
  require(fits(call.saved) && fits(incoming),
          "gradients [{},{}] and [{},{}] of an activation of [{},{}]; expected equal shapes", incoming.rows,
          incoming.cols, gradient.rows, gradient.cols, call.saved.rows, call.saved.cols);
  const bool rounds = gradient.type == DataType::bf16 && incoming.type == DataType::f32;
  const bool reads_saved = call.activation != Activation::identity || call.bad_saved;
  require(is_f32_or_bf16(gradient.type) && (incoming.type == gradient.type || rounds) &&
              (call.saved.type == gradient.type || !reads_saved),
          "a gradient in {} from {} and an activation in {}; expected all f32, or bf16 from f32 or bf16 and bf16",
          name_of(gradient.type), name_of(incoming.type), name_of(call.saved.type));
  require(call.bias_gradient.size == 0 || call.bias_gradient.size == gradient.cols,
          "a bias gradient of {} elements for {} columns; expected one per column", call.bias_gradient.size,
          gradient.cols);
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
