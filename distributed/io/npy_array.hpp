#pragma once

#include <span>
#include <string>

#include "distributed/io/npy_header.hpp"
#include "kernels/file_descriptor.hpp"
#include "kernels/matrix.hpp"

namespace recombine {

/// An array in a .npy file, which one process reads, some rows at a time. The first extent counts the rows. In memory,
/// the elements of a row are in C order, whatever the order of the file is. Messages begin with `name`:
/// "--a a.npy".
class NpyArray {
 public:
  /// @throws InputError unless `path` holds an array that parse_npy_header() accepts
  NpyArray(std::string name, const std::string& path);

  const std::string& name() const { return name_; }
  const NpyHeader& header() const { return header_; }

  /// Reads the rows from `first` on into `to` [n, cols] in the host's memory, converted to to.type (f32, f64, bf16).
  /// @pre `to` is contiguous  @throws Error if the file cannot be read
  void read(std::int64_t first, MatrixView to) const;
  /// The same for elements of u1, as they are: to.size() is a multiple of cols.
  void read(std::int64_t first, std::span<std::uint8_t> to) const;

 private:
  void read_bytes(std::int64_t element, std::byte* to, std::int64_t count) const;
  void read_columns(std::int64_t first, MatrixView to) const;
  void order_columns(MatrixView rows) const;

  std::string name_;
  FileDescriptor file_;
  NpyHeader header_;
};

}  // namespace recombine
