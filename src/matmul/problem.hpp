#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "distributed/io/npy_file.hpp"
#include "distributed/matmul/generated.hpp"
#include "distributed/matmul/schedule.hpp"
#include "src/matmul/options.hpp"

namespace recombine {

/// An input matrix X: a .npy file, or elements computed from their global index. Rows and columns are those of op(X),
/// which is X or its transpose.
class MatrixSource {
 public:
  /// "--a a.npy". @throws InputError
  static MatrixSource from_file(const std::string& option, const std::string& path, Transpose transpose);
  static MatrixSource made(const Generated& matrix, DistMatrix::Shape shape);
  /// @param values  [shape.rows, shape.cols], row by row
  static MatrixSource given(const std::string& name, DistMatrix::Shape shape, std::vector<double> values);

  std::int64_t rows() const { return shape_.rows; }
  std::int64_t cols() const { return shape_.cols; }
  const std::string& name() const { return name_; }  ///< "--a a.npy", or "A"
  std::optional<FileType> file_type() const;         ///< of the file's elements; none: no file

  /// Reads a rectangle of op(X) into `to` in the device's memory: [rows, cols], or [cols, rows] with `transpose`. A
  /// file is read on `io` (for a GPU this call blocks); computed elements are enqueued on the compute stream.
  /// @pre for a file and a GPU, `to` is contiguous
  void read(RankContext& context, Stream& io, Range rows, Range cols, Transpose transpose, MatrixView to) const;

 private:
  void read_to_host(Stream& io, Range rows, Range cols, Transpose transpose, MatrixView to) const;

  std::string name_;
  DistMatrix::Shape shape_;              ///< of op(X)
  Transpose transpose_ = Transpose::no;  ///< yes: op(X) is the transpose of the X in the file
  std::shared_ptr<NpyReader> file_;      ///< none: the elements are computed
  std::vector<double> values_;           ///< all elements of X; empty: they are not given
  Generated made_;
};

/// The product that a command asks for.
struct MatmulProblem {
  MatrixSource a, b;
  std::optional<MatrixSource> c0;  ///< if beta != 0
  MatmulShape shape;
  std::string conversions;  ///< one line: which files are not of the product's type; "": none

  /// @throws InputError that names both matrices, if their shapes do not fit
  explicit MatmulProblem(const MatmulCommand& command);

 private:
  void read_c0(const MatmulCommand& command);
  /// Sets the product's type: `asked`, or else f64 if a file has elements of f8, and else f32.
  void set_type(const std::optional<DataType>& asked);
};

}  // namespace recombine
