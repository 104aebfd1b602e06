#include "src/matmul/host_copy.hpp"

#include "kernels/error.hpp"

namespace recombine {

HostCopy::HostCopy(const MeshRank& rank, ConstMatrixView matrix) : view_(matrix) {
  if (rank.device().kind() == DeviceKind::cpu) return;
  require(matrix.contiguous(), "host copy of a matrix with gaps: [{},{}], {} apart", matrix.rows, matrix.cols,
          matrix.ld);
  memory_ = Buffer(rank.device(), matrix.type, matrix.rows * matrix.cols, MemoryKind::host);
  rank.device().copy(rank.compute(), memory_.view(), as_vector(matrix));
  rank.compute().synchronize();
  view_ = memory_.matrix(matrix.rows, matrix.cols);
}

}  // namespace recombine
