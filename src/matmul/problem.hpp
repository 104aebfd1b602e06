#pragma once

#include <memory>
#include <optional>
#include <string>

#include "distributed/io/npy_file.hpp"
#include "distributed/matmul/generated.hpp"
#include "distributed/matmul/schedule.hpp"
#include "src/matmul/options.hpp"

namespace recombine {

/// A matrix that the program is given: a .npy file, or elements made from their global index. It is seen as op(X)
/// wherever rows and columns are named.
class MatrixSource {
 public:
  /// "--a a.npy". @throws InputError
  static MatrixSource from_file(const std::string& option, const std::string& path, Transpose transpose);
  static MatrixSource made(const Generated& matrix, DistMatrix::Shape shape);

  std::int64_t rows() const { return shape_.rows; }
  std::int64_t cols() const { return shape_.cols; }
  const std::string& name() const { return name_; }  ///< "--a a.npy", or "A"
  std::optional<DataType> file_type() const;         ///< of the file's elements; none: made

  /// Brings a rectangle of op(X) to the device's memory, [rows, cols], or [cols, rows] with `transpose`. Enqueued: from
  /// a file on `io`, to a GPU and what is made on the compute stream. @pre for a file, `to` is contiguous
  void read(RankContext& context, Stream& io, Range rows, Range cols, Transpose transpose, MatrixView to) const;

 private:
  std::string name_;
  DistMatrix::Shape shape_;              ///< of op(X)
  Transpose transpose_ = Transpose::no;  ///< the file has X, op(X) is its transpose
  std::shared_ptr<NpyReader> file_;      ///< none: made
  Generated made_;
};

/// The product that a command asks for.
struct MatmulProblem {
  MatrixSource a, b;
  std::optional<MatrixSource> c0;  ///< where beta != 0
  MatmulShape shape;
  std::string conversions;  ///< one line: which files are not of the product's type; "": none

  /// @throws InputError naming both where shapes do not agree
  explicit MatmulProblem(const MatmulCommand& command);

 private:
  void read_c0(const MatmulCommand& command);
  /// Sets the product's type: `asked`, or else the widest type of the files.
  void set_type(const std::optional<DataType>& asked);
};

}  // namespace recombine
