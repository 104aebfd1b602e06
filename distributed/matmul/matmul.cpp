#include "distributed/matmul/matmul.hpp"

#include "distributed/multiply.hpp"
#include "kernels/error.hpp"

namespace recombine {

VectorView Workspace::get(Device& device, std::size_t slot, DataType type, std::int64_t size) {
  Buffer& buffer = slots_.at(slot);
  if (buffer.view().type != type || buffer.view().size < size) {
    buffer = Buffer();  // the old memory goes first
    buffer = Buffer(device, type, size);
  }
  return buffer.view().range(0, size);
}

LocalProduct begin_product(RankContext& context, const Matmul& call) {
  require(
      call.a.placement().cuts_as(kPlaceA) && call.b.placement().cuts_as(kPlaceB) && call.c.placement().cuts_as(kPlaceC),
      "placements {} x {} to {}: expected operands placed as {} and {}, and the result as {}",
      call.a.placement().to_string(), call.b.placement().to_string(), call.c.placement().to_string(),
      kPlaceA.to_string(), kPlaceB.to_string(), kPlaceC.to_string());
  require(call.a.rows() == call.b.rows() && call.a.cols() == call.c.rows() && call.b.cols() == call.c.cols(),
          "[{},{}] x [{},{}] does not give [{},{}]", call.a.cols(), call.a.rows(), call.b.rows(), call.b.cols(),
          call.c.rows(), call.c.cols());
  set_product_state(context.mesh(), call.c, Axis::k);
  return {context,
          {.trans_a = Transpose::yes,
           .c = only_block(call.c).view,
           .alpha = call.alpha,
           .beta = context.coord()[Axis::k] == 0 ? call.beta : 0}};
}

const Block& only_block(const DistMatrix& matrix) {
  require(matrix.blocks().size() == 1, "{} has {} blocks on this rank; expected one, which the schedule moves",
          matrix.placement().to_string(), matrix.blocks().size());
  return matrix.blocks().front();
}

MatrixView rows_of(const Block& block, Range range) {
  return block.view.block(range.begin - block.rows.begin, 0, range.size(), block.view.cols);
}

}  // namespace recombine
