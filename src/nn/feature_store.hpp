#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "kernels/file_descriptor.hpp"
#include "kernels/matrix.hpp"

namespace recombine {

/// Rows of f32 features, row by row, in a file without a name: in the host's memory, or on a disk. The rank that reads a
/// data set writes them; then all ranks of the host read them. A file on a disk is never mapped as a whole, so it may be
/// larger than the memory.
class FeatureStore {
 public:
  enum class Place { memory, disk };

  /// Makes a file of zeros. `source` is named in messages. On a disk it lies in $TMPDIR, or else in /var/tmp.
  /// @throws InputError that names `source` if there is no room
  FeatureStore(const std::string& source, Place place, std::int64_t rows, std::int64_t cols);

  Place place() const { return place_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::int64_t bytes() const { return rows_ * cols_ * static_cast<std::int64_t>(sizeof(float)); }
  const FileDescriptor& file() const { return file_; }

  /// Writes whole rows from `first` on: values.size() is a multiple of cols(). Several threads may write different rows.
  /// @throws Error
  void write(std::int64_t first, std::span<const float> values) const;
  /// Reads whole rows from `first` on. @throws Error
  void read(std::int64_t first, std::span<float> to) const;
  /// Calls `visit(first, rows)` for all rows in order, some MiB at a time. What `visit` changes in `rows` [n, cols] is
  /// stored. @throws Error, and what `visit` throws
  void for_each_part(const std::function<void(std::int64_t first, MatrixView rows)>& visit) const;

 private:
  std::string source_;
  Place place_;
  std::int64_t rows_, cols_;
  FileDescriptor file_;
};

}  // namespace recombine
