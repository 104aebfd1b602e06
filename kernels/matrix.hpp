#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/types.hpp"

namespace recombine {

/// A flat range of `size` elements in a device's memory. Owns nothing.
template <class Byte>
struct BasicVectorView {
  Byte* data = nullptr;
  std::int64_t size = 0;
  DataType type = DataType::f32;

  std::int64_t bytes() const { return size * size_of(type); }

  /// @pre 0 <= begin <= end <= size
  BasicVectorView range(std::int64_t begin, std::int64_t end) const {
    return {data + begin * size_of(type), end - begin, type};
  }

  /// The elements as T. @pre type is data_type_of<T>
  template <class T>
  auto as() const {
    return reinterpret_cast<std::conditional_t<std::is_const_v<Byte>, const T, T>*>(data);
  }

  operator BasicVectorView<const std::byte>() const { return {data, size, type}; }
};

using VectorView = BasicVectorView<std::byte>;
using ConstVectorView = BasicVectorView<const std::byte>;

template <class T>
VectorView vector_view(T* data, std::int64_t size) {
  return {reinterpret_cast<std::byte*>(data), size, data_type_of<T>};
}
template <class T>
ConstVectorView vector_view(const T* data, std::int64_t size) {
  return {reinterpret_cast<const std::byte*>(data), size, data_type_of<T>};
}

/// A row-major matrix in a device's memory: element (i, j) is i * ld + j elements after `data`. Owns nothing.
template <class Byte>
struct BasicMatrixView {
  Byte* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t ld = 0;  ///< leading dimension: elements from one row to the next; at least cols
  DataType type = DataType::f32;

  bool empty() const { return rows == 0 || cols == 0; }
  bool contiguous() const { return ld == cols || rows <= 1; }

  /// @pre the block lies inside
  BasicMatrixView block(std::int64_t row, std::int64_t col, std::int64_t n_rows, std::int64_t n_cols) const {
    return {data + (row * ld + col) * size_of(type), n_rows, n_cols, ld, type};
  }

  template <class T>
  auto as() const {
    return reinterpret_cast<std::conditional_t<std::is_const_v<Byte>, const T, T>*>(data);
  }

  operator BasicMatrixView<const std::byte>() const { return {data, rows, cols, ld, type}; }
};

using MatrixView = BasicMatrixView<std::byte>;
using ConstMatrixView = BasicMatrixView<const std::byte>;

template <class Byte>
BasicMatrixView<Byte> as_matrix(BasicVectorView<Byte> v, std::int64_t rows, std::int64_t cols) {
  return {v.data, rows, cols, cols, v.type};
}

/// All elements of a contiguous matrix. @pre m.contiguous()
template <class Byte>
BasicVectorView<Byte> as_vector(BasicMatrixView<Byte> m) {
  return {m.data, m.rows * m.cols, m.type};
}

}  // namespace recombine
