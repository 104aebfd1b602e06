#include "kernels/cpu/gemm_cblas.hpp"

#include <algorithm>
#include <limits>

#include <cblas.h>

#include "kernels/cpu/parallel_for.hpp"
#include "kernels/error.hpp"

namespace recombine::cpu {

namespace {

CBLAS_TRANSPOSE cblas_transpose(Transpose transpose) { return transpose == Transpose::yes ? CblasTrans : CblasNoTrans; }

/// Sets OpenBLAS's number of threads, and restores OpenMP's: OpenBLAS lowers it to the largest that it was built for.
class OpenBlasThreads {
 public:
  OpenBlasThreads() {
    if (openblas_get_num_threads() != library_threads()) openblas_set_num_threads(library_threads());
  }
  ~OpenBlasThreads() { set_threads(before_); }
  OpenBlasThreads(const OpenBlasThreads&) = delete;
  OpenBlasThreads& operator=(const OpenBlasThreads&) = delete;

 private:
  int before_ = threads();
};

template <class T, class Routine>
void call(const Routine& routine, const Gemm& gemm, const GemmShape& shape) {
  const auto size = [](std::int64_t s) { return static_cast<blasint>(s); };
  routine(CblasRowMajor, cblas_transpose(gemm.trans_a), cblas_transpose(gemm.trans_b), size(shape.m), size(shape.n),
          size(shape.k), static_cast<T>(gemm.alpha), gemm.a.as<T>(), size(gemm.a.ld), gemm.b.as<T>(), size(gemm.b.ld),
          static_cast<T>(gemm.beta), gemm.c.as<T>(), size(gemm.c.ld));
}

}  // namespace

bool fits_cblas(const Gemm& gemm, const GemmShape& shape) {
  return std::max({shape.m, shape.n, shape.k, gemm.a.ld, gemm.b.ld, gemm.c.ld}) <= std::numeric_limits<blasint>::max();
}

void gemm_cblas(const Gemm& gemm, const GemmShape& shape) {
  require(fits_cblas(gemm, shape),
          "the product [{},{}] [{},{}] with leading dimensions {}, {} and {} does not fit CBLAS; expected 32-bit sizes",
          shape.m, shape.k, shape.k, shape.n, gemm.a.ld, gemm.b.ld, gemm.c.ld);
  const OpenBlasThreads scope;
  if (gemm.c.type == DataType::f64) {
    call<double>(cblas_dgemm, gemm, shape);
  } else {
    call<float>(cblas_sgemm, gemm, shape);
  }
}

}  // namespace recombine::cpu
