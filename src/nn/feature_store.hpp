#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "kernels/file_descriptor.hpp"
#include "kernels/matrix.hpp"

namespace recombine {

/// Features in f32, row by row, in a file without a name: in the host's memory, or on a disk. The rank that reads a
/// data set writes the rows; then all ranks of the host read them. A file on a disk is never mapped as a whole, so it
/// may be larger than the memory.
class FeatureStore {
 public:
  enum class Place { memory, disk };

  /// Makes a file of zeros. Messages name `source`. A file on a disk is in disk_folder().
  /// @throws InputError that names `source` if there is no room
  FeatureStore(const std::string& source, Place place, std::int64_t rows, std::int64_t cols);
  /// Reads rows from a file that another process has made.
  FeatureStore(const std::string& source, Place place, std::int64_t rows, std::int64_t cols, FileDescriptor file);

  Place place() const { return place_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::int64_t bytes() const { return rows_ * row_bytes(); }
  const FileDescriptor& file() const { return file_; }

  /// Writes whole rows from `first` on: values.size() is a multiple of cols(). Several threads may write different rows.
  /// @throws Error
  void write(std::int64_t first, std::span<const float> values) const;
  /// Reads whole rows from `first` on. @throws Error
  void read(std::int64_t first, std::span<float> to) const;
  /// Reads scattered rows: rows[i] to the i-th row of `to`. Reads in the order of the file, and adjacent rows together.
  /// @throws Error
  void read_rows(std::span<const std::int64_t> rows, std::span<float> to) const;
  /// Calls `visit(first, rows)` for all rows in order, some MiB at a time. Stores what `visit` changes in `rows`,
  /// which is [n, cols]. @throws Error, and what `visit` throws
  void for_each_part(const std::function<void(std::int64_t first, MatrixView rows)>& visit) const;
  /// Calls `visit(first, rows)` for all rows in order, some MiB at a time. @throws Error, and what `visit` throws
  void read_parts(const std::function<void(std::int64_t first, ConstMatrixView rows)>& visit) const;

 private:
  using Visit = std::function<void(std::int64_t first, std::span<float> values)>;
  void for_parts(const Visit& visit) const;
  std::int64_t row_bytes() const { return cols_ * static_cast<std::int64_t>(sizeof(float)); }

  std::string source_;
  Place place_;
  std::int64_t rows_, cols_;
  FileDescriptor file_;
};

}  // namespace recombine
