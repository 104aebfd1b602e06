#include "kernels/math_checks.hpp"

#include "kernels/error.hpp"

namespace recombine {

void check_gather(const GatherRows& gather) {
  const ConstMatrixView& source = gather.source;
  require((source.type == DataType::u8 || source.type == DataType::f32) && source.cols == gather.out.cols &&
              gather.rows.size >= gather.out.rows,
          "gather of {} rows of {} [{},{}] into [{},{}]", gather.rows.size, name_of(source.type), source.rows,
          source.cols, gather.out.rows, gather.out.cols);
}

void check_axpby(ConstVectorView x, ConstVectorView y) {
  require(y.type == DataType::f32 || y.type == DataType::f64, "no sums of {}", name_of(y.type));
  require(!x.data || (x.type == y.type && x.size >= y.size), "{} {} added to {} {}", x.size, name_of(x.type), y.size,
          name_of(y.type));
}

}  // namespace recombine
