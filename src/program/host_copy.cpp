#include "src/program/host_copy.hpp"

#include "kernels/error.hpp"

namespace recombine {

HostCopy::HostCopy(const RankContext& context, ConstMatrixView matrix) : view_(matrix) {
  if (context.device().kind() == DeviceKind::cpu) return;
  require(matrix.contiguous(), "host copy of a matrix with gaps: [{},{}], {} apart", matrix.rows, matrix.cols,
          matrix.ld);
  memory_ = Buffer::on_host(context.device(), matrix.type, matrix.rows * matrix.cols);
  context.device().copy(context.compute(), memory_.view(), as_vector(matrix));
  context.compute().synchronize();
  view_ = memory_.matrix(matrix.rows, matrix.cols);
}

}  // namespace recombine
