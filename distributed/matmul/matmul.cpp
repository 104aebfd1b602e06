#include "distributed/matmul/matmul.hpp"

#include "kernels/error.hpp"

namespace recombine {

namespace {

bool same_cuts(const Placement& found, const Placement& wanted) {
  return found.rows == wanted.rows && found.cols == wanted.cols && found.rows_then == wanted.rows_then;
}

}  // namespace

VectorView Workspace::get(Device& device, std::size_t slot, DataType type, std::int64_t size) {
  Buffer& buffer = slots_.at(slot);
  if (buffer.view().type != type || buffer.view().size < size) {
    buffer = Buffer();  // the old memory goes first
    buffer = Buffer(device, type, size);
  }
  return buffer.view().range(0, size);
}

LocalSum::LocalSum(RankContext& context, const Matmul& call)
    : context_(context), call_(call), beta_(context.coord()[Axis::k] == 0 ? call.beta : 0) {
  require(same_cuts(call.a.placement(), kPlaceA) && same_cuts(call.b.placement(), kPlaceB) &&
              same_cuts(call.c.placement(), kPlaceC),
          "placements {} x {} to {}: operands stand at rest as {} and {}, the result as {}",
          call.a.placement().to_string(), call.b.placement().to_string(), call.c.placement().to_string(),
          kPlaceA.to_string(), kPlaceB.to_string(), kPlaceC.to_string());
  require(call.a.rows() == call.b.rows() && call.a.cols() == call.c.rows() && call.b.cols() == call.c.cols(),
          "[{},{}] x [{},{}] does not give [{},{}]", call.a.cols(), call.a.rows(), call.b.rows(), call.b.cols(),
          call.c.rows(), call.c.cols());
  for (const Axis axis : kAxes) {
    if (!call.c.placement().cuts(axis)) call.c.set_state(axis, State::replicated);
  }
  if (context.mesh().parts(Axis::k) > 1) call.c.set_state(Axis::k, State::partial);
}

void LocalSum::add(ConstMatrixView a, ConstMatrixView b) {
  if (a.rows > 0) multiply(a, b);
}

void LocalSum::finish() {
  if (!added_)
    multiply(only_block(call_.a).view.block(0, 0, 0, only_block(call_.a).view.cols),
             only_block(call_.b).view.block(0, 0, 0, only_block(call_.b).view.cols));
}

void LocalSum::multiply(ConstMatrixView a, ConstMatrixView b) {
  context_.math().gemm(context_.compute(), {.a = a,
                                            .trans_a = Transpose::yes,
                                            .b = b,
                                            .c = only_block(call_.c).view,
                                            .alpha = call_.alpha,
                                            .beta = added_ ? 1 : beta_});
  added_ = true;
}

const Block& only_block(const DistMatrix& matrix) {
  require(matrix.blocks().size() == 1, "{} has {} blocks on this rank, this schedule moves one",
          matrix.placement().to_string(), matrix.blocks().size());
  return matrix.blocks().front();
}

MatrixView rows_of(const Block& block, Range range) {
  return block.view.block(range.begin - block.rows.begin, 0, range.size(), block.view.cols);
}

}  // namespace recombine
