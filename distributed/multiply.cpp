#include "distributed/multiply.hpp"

#include <vector>

#include "kernels/error.hpp"
#include "kernels/trace_range.hpp"

namespace recombine {

namespace {

/// op(M): the matrix or its transpose, as the product sees it.
struct Operand {
  const DistMatrix& matrix;
  Transpose transpose;

  bool swapped() const { return transpose == Transpose::yes; }
  std::int64_t rows() const { return swapped() ? matrix.cols() : matrix.rows(); }
  std::int64_t cols() const { return swapped() ? matrix.rows() : matrix.cols(); }
  std::optional<Axis> row_axis() const { return swapped() ? matrix.placement().cols : matrix.placement().rows; }
  std::optional<Axis> col_axis() const { return swapped() ? matrix.placement().rows : matrix.placement().cols; }
  int row_part(const Block& block) const { return swapped() ? block.col_part : block.row_part; }
  int col_part(const Block& block) const { return swapped() ? block.row_part : block.col_part; }
};

void check_fit(const Operand& a, const Operand& b, const DistMatrix& c) {
  require(a.cols() == b.rows() && c.rows() == a.rows() && c.cols() == b.cols(),
          "[{},{}] x [{},{}] does not give [{},{}]", a.rows(), a.cols(), b.rows(), b.cols(), c.rows(), c.cols());
  require(a.col_axis() == b.row_axis() && c.placement().rows == a.row_axis() && c.placement().cols == b.col_axis(),
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
  require(part != nullptr, "rank holds no bias for its column {}", block.col_part);
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
    bool first = true;
    for (const Block& left : product.a.blocks()) {
      if (a.row_part(left) != to.row_part) continue;
      for (const Block& right : product.b.blocks()) {
        if (b.col_part(right) != to.col_part || b.row_part(right) != a.col_part(left)) continue;
        context.math().gemm(context.compute(),
                            {.a = left.view,
                             .trans_a = product.trans_a,
                             .b = right.view,
                             .trans_b = product.trans_b,
                             .c = to.view,
                             .alpha = product.alpha,
                             .beta = first ? product.beta : 1.0,
                             .bias = product.bias ? block_bias(*product.bias, to) : ConstVectorView{},
                             .activation = product.activation});
        first = false;
      }
    }
    require(!first, "rank holds no operands for its block ({}, {})", to.row_part, to.col_part);
  }

  for (const Axis axis : kAxes) {
    if (!c.placement().cuts(axis)) c.set_state(axis, State::replicated);
  }
  if (!complete) c.set_state(*a.col_axis(), State::partial);
}

Range shard_of(const Block& block, int parts, int index) { return split_range(block.view.rows, parts, index); }

void recombine(RankContext& context, DistMatrix& matrix, Axis axis, State target) {
  const State state = matrix.placement()[axis];
  require(!matrix.placement().cuts(axis), "{} is cut by {}", matrix.placement().to_string(), name_of(axis));
  if (state == target) return;
  if (state == State::replicated && target == State::sharded) return matrix.set_state(axis, target);

  const TraceRange trace("recombine");
  Communicator& group = context.communicator(axis);
  Stream& communication = context.after_compute(axis, RankContext::Next::waits);
  for (const Block& block : matrix.blocks()) {
    const VectorView data = as_vector(block.view);
    std::vector<std::int64_t> counts;
    for (int r = 0; r < group.size(); ++r) counts.push_back(shard_of(block, group.size(), r).size() * block.view.cols);
    if (state == State::partial && target == State::replicated) {
      group.all_reduce(communication, data, Reduction::sum);
    } else if (state == State::partial && target == State::sharded) {
      group.reduce_scatter(communication, data, counts, Reduction::sum);
    } else if (state == State::sharded && target == State::replicated) {
      group.all_gather(communication, data, counts);
    } else {
      throw Error(fmt::format("no collective takes {} along {} there", matrix.placement().to_string(), name_of(axis)));
    }
  }
  context.compute_waits(communication.record());
  matrix.set_state(axis, target);
}

void gather_at_rest(RankContext& context, const DistMatrix& from, DistMatrix& to) {
  const std::optional<Axis> axis = from.placement().rows_then;
  require(axis && from.rows() == to.rows() && from.cols() == to.cols() &&
              from.placement().rows == to.placement().rows && from.placement().cols == to.placement().cols &&
              !to.placement().rows_then,
          "{} does not gather into {}", from.placement().to_string(), to.placement().to_string());
  const TraceRange trace("gather");
  Communicator& group = context.communicator(*axis);
  Stream& communication = context.communication(*axis);
  const int pieces = context.mesh().parts(*axis);
  for (const Block& block : to.blocks()) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(group.size()));
    for (int piece = 0; piece < pieces; ++piece) {
      const int part = block.row_part * pieces + piece;
      const Range rows = DistMatrix::rows_of_part(context.mesh(), from.rows(), from.placement(), part);
      counts[static_cast<std::size_t>(context.mesh().owner(*axis, piece))] += rows.size() * block.cols.size();
      if (const Block* own = from.find(part, block.col_part)) {
        const MatrixView place = block.view.block(rows.begin - block.rows.begin, 0, rows.size(), block.cols.size());
        context.device().copy(context.compute(), as_vector(place), as_vector(own->view));
      }
    }
    const auto next = &block == &to.blocks().back() ? RankContext::Next::waits : RankContext::Next::computes;
    group.all_gather(context.after_compute(*axis, next), as_vector(block.view), counts);
  }
  context.compute_waits(communication.record());
  to.set_state(*axis, State::replicated);
}

}  // namespace recombine
