#include "distributed/multiply.hpp"

#include "distributed/local_product.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

/// op(M): the matrix or its transpose.
struct Operand {
  const DistMatrix& matrix;
  Transpose transpose;

  bool swapped() const { return transpose == Transpose::yes; }
  std::int64_t rows() const { return swapped() ? matrix.cols() : matrix.rows(); }
  std::int64_t cols() const { return swapped() ? matrix.rows() : matrix.cols(); }
  std::optional<Axis> row_axis() const { return swapped() ? matrix.placement().cols : matrix.placement().rows; }
  std::int64_t row_unit() const { return swapped() ? matrix.placement().col_unit : matrix.placement().row_unit; }
  std::int64_t col_unit() const { return swapped() ? matrix.placement().row_unit : matrix.placement().col_unit; }
  std::optional<Axis> col_axis() const { return swapped() ? matrix.placement().rows : matrix.placement().cols; }
  int row_part(const Block& block) const { return swapped() ? block.col_part : block.row_part; }
  int col_part(const Block& block) const { return swapped() ? block.row_part : block.col_part; }
};

void check_fit(const Operand& a, const Operand& b, const DistMatrix& c) {
  require(a.cols() == b.rows() && c.rows() == a.rows() && c.cols() == b.cols(),
          "[{},{}] x [{},{}] does not give [{},{}]", a.rows(), a.cols(), b.rows(), b.cols(), c.rows(), c.cols());
  require(a.col_axis() == b.row_axis() && c.placement().rows == a.row_axis() && c.placement().cols == b.col_axis() &&
              a.col_unit() == b.row_unit() && c.placement().row_unit == a.row_unit() &&
              c.placement().col_unit == b.col_unit(),
          "placements {} x {} do not give {}", a.matrix.placement().to_string(), b.matrix.placement().to_string(),
          c.placement().to_string());
  for (const Axis axis : kAxes) {
    const auto whole = [&](const DistMatrix& m) {
      return m.placement().cuts(axis) || m.placement()[axis] == State::replicated;
    };
    require(whole(a.matrix) && whole(b.matrix), "operands must be recombined first: {} x {}",
            a.matrix.placement().to_string(), b.matrix.placement().to_string());
  }
}

ConstVectorView block_bias(const DistMatrix& bias, const Block& block) {
  const Block* part = bias.find(0, block.col_part);
  require(part != nullptr, "the rank does not hold the bias of its column block {}", block.col_part);
  return as_vector<const std::byte>(part->view);
}

}  // namespace

bool complete_after_multiply(const Mesh& mesh, const DistMatrix& a, Transpose trans_a) {
  const auto axis = Operand{a, trans_a}.col_axis();
  return !axis || mesh.parts(*axis) == 1;
}

void multiply(RankContext& context, const Product& product) {
  const Operand a{product.a, product.trans_a};
  const Operand b{product.b, product.trans_b};
  DistMatrix& c = product.c;
  check_fit(a, b, c);
  const bool complete = complete_after_multiply(context.mesh(), product.a, product.trans_a);
  require(complete || (product.bias == nullptr && product.activation == Activation::identity),
          "bias and activation come after the sum over {}", name_of(*a.col_axis()));

  // C_ij = sum over the local k of A_ik * B_kj; the first term also takes beta C.
  for (const Block& to : c.blocks()) {
    LocalProduct sum(context,
                     {.trans_a = product.trans_a,
                      .trans_b = product.trans_b,
                      .c = to.view,
                      .alpha = product.alpha,
                      .beta = product.beta,
                      .bias = product.bias ? block_bias(*product.bias, to) : ConstVectorView{},
                      .activation = product.activation},
                     product.stream ? *product.stream : context.compute());
    bool has_operands = false;
    for (const Block& left : product.a.blocks()) {
      if (a.row_part(left) != to.row_part) continue;
      for (const Block& right : product.b.blocks()) {
        if (b.col_part(right) != to.col_part || b.row_part(right) != a.col_part(left)) continue;
        sum.add(left.view, right.view,
                {.what = product.what, .c = {to.rows, to.cols}, .k = a.swapped() ? left.rows : left.cols});
        has_operands = true;
      }
    }
    require(has_operands, "the rank does not hold operands for its block ({}, {})", to.row_part, to.col_part);
    sum.finish(product.a.memory().type);
  }

  set_product_state(context.mesh(), c, a.col_axis());
}

void set_product_state(const Mesh& mesh, DistMatrix& c, std::optional<Axis> contracted) {
  for (const Axis axis : kAxes) {
    if (c.placement().cuts(axis)) continue;
    const bool is_term = axis == contracted && mesh.parts(axis) > 1;
    c.set_state(axis, is_term ? State::partial : State::replicated);
  }
}

}  // namespace recombine
