#include "kernels/gemm_shape.hpp"

#include "kernels/error.hpp"

namespace recombine {

namespace {

bool types_go_together(const Gemm& gemm) {
  const DataType operand = gemm.a.type;
  if (gemm.b.type != operand) return false;
  if (operand == DataType::bf16) return gemm.c.type == DataType::f32 || (rounds_result(gemm) && gemm.beta == 0);
  return (operand == DataType::f32 || operand == DataType::f64) && gemm.c.type == operand;
}

}  // namespace

GemmShape shape_of(const Gemm& gemm) {
  const bool ta = gemm.trans_a == Transpose::yes;
  const bool tb = gemm.trans_b == Transpose::yes;
  const GemmShape shape = {gemm.c.rows, gemm.c.cols, ta ? gemm.a.rows : gemm.a.cols};
  require(types_go_together(gemm),
          "cannot multiply {} by {} into {} with beta {}; expected all f32, all f64, bf16 by bf16 into f32, or bf16 by "
          "bf16 into bf16 with beta 0",
          name_of(gemm.a.type), name_of(gemm.b.type), name_of(gemm.c.type), gemm.beta);
  require((ta ? gemm.a.cols : gemm.a.rows) == shape.m && (tb ? gemm.b.cols : gemm.b.rows) == shape.k &&
              (tb ? gemm.b.rows : gemm.b.cols) == shape.n && (gemm.bias.size == 0 || gemm.bias.size == shape.n),
          "the product of [{},{}]{} and [{},{}]{} does not have the shape [{},{}]", gemm.a.rows, gemm.a.cols,
          ta ? "^T" : "", gemm.b.rows, gemm.b.cols, tb ? "^T" : "", shape.m, shape.n);
  const bool bias_fits = gemm.bias.size == 0 || gemm.bias.type == gemm.c.type;
  require(!has_epilogue(gemm) || (gemm.c.type != DataType::f64 && bias_fits),
          "a {} bias or an activation for a product in {}; expected both in f32, or both in bf16",
          name_of(gemm.bias.type), name_of(gemm.c.type));
  return shape;
}

}  // namespace recombine
