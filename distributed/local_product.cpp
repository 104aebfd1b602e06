#include "distributed/local_product.hpp"

#include <algorithm>

#include "kernels/error.hpp"
#include "kernels/gemm_shape.hpp"

namespace recombine {

void LocalProduct::add(ConstMatrixView a, ConstMatrixView b, const ProductPlace& place) {
  place_ = place;
  if ((call_.trans_a == Transpose::yes ? a.rows : a.cols) > 0) multiply(a, b, place);
}

void LocalProduct::finish(DataType type) {
  if (has_terms_) return;
  // A product with k = 0 reads no element of A or B.
  const auto empty = [&](Transpose transpose, std::int64_t rows, std::int64_t cols) {
    if (transpose == Transpose::yes) std::swap(rows, cols);
    return ConstMatrixView{call_.c.data, rows, cols, std::max<std::int64_t>(cols, 1), type};
  };
  multiply(empty(call_.trans_a, call_.c.rows, 0), empty(call_.trans_b, 0, call_.c.cols), place_);
}

void LocalProduct::multiply(ConstMatrixView a, ConstMatrixView b, const ProductPlace& place) {
  require(!has_terms_ || !has_epilogue(call_),
          "a sum of several products with a bias or an activation; expected neither");
  call_.a = a;
  call_.b = b;
  context_.math().gemm(stream_, call_);
  const GemmShape shape = shape_of(call_);
  context_.count_flops(2.0 * static_cast<double>(shape.m) * static_cast<double>(shape.n) *
                       static_cast<double>(shape.k));
  if (ProductObserver* const observer = context_.product_observer()) {
    stream_.synchronize();
    observer->on_product({call_, place});
  }
  call_.beta = 1;
  has_terms_ = true;
}

}  // namespace recombine
