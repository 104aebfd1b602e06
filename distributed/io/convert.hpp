#pragma once

#include "distributed/io/file_type.hpp"
#include "kernels/math.hpp"
#include "kernels/matrix.hpp"

namespace recombine {

/// Copies `from` or its transpose into `to`, in the host's memory, on the calling thread. Converts between f32, f64 and
/// bf16; rounds to nearest even if the type is narrower. @throws Error for other types, or if the shapes do not fit
void convert(ConstMatrixView from, Transpose transpose, MatrixView to);

/// A row-major matrix in the host's memory, whose elements have a type of files, in the host's byte order. Owns
/// nothing.
struct ElementMatrix {
  const std::byte* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t ld = 0;  ///< elements from one row to the next; at least cols
  Element element = Element::f4;
};

/// The same for elements of a file. A bool becomes 0 or 1. f32 represents all values of b1, i1, i2, u1, u2 and f2
/// exactly; f64 also those of i4, u4 and f4. Other values are rounded to nearest even: integers are exact up to 2^24 in
/// f32, 2^53 in f64 and 2^8 in bf16.
void convert(const ElementMatrix& from, Transpose transpose, MatrixView to);

}  // namespace recombine
