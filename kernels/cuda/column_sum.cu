#include "kernels/cuda/column_sums.cuh"
#include "kernels/cuda/launchers.hpp"

namespace recombine::cuda {

namespace {

template <int width>
void column_sum_packs(cudaStream_t stream, const ConstMatrixView& x, const VectorView& sums, float beta) {
  sum_columns<width>(stream, "column_sum", {x.rows, x.cols, 0, sums.as<float>(), beta},
                     MatrixItem<width>{x.as<float>(), x.ld});
}

}  // namespace

void column_sum(cudaStream_t stream, ConstMatrixView x, VectorView sums, float beta) {
  packs_fit_matrix(x) ? column_sum_packs<kWide>(stream, x, sums, beta) : column_sum_packs<1>(stream, x, sums, beta);
}

}  // namespace recombine::cuda
