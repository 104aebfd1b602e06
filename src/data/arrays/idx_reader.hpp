#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "distributed/io/file_type.hpp"
#include "src/data/unpack/unpacked_file.hpp"

namespace recombine {

/// An open IDX file: a header with the type and up to 4 extents, then the elements, big-endian.
class IdxReader {
 public:
  /// Reads the header, and checks its sizes as far as possible before reading more: a wrong size must take no memory.
  /// @throws InputError that names the file
  IdxReader(const std::string& path, Growth growth);

  const std::string& path() const { return file_.path(); }
  Element element() const { return element_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t rows() const { return shape_.front(); }
  std::int64_t cols() const { return cols_; }  ///< product of the other extents

  /// Reads the next elements: as they are (u1), or converted. @throws InputError if the file is too short or damaged
  void read(std::span<std::uint8_t> to);
  void read(std::span<float> to);
  void read(std::span<double> to);
  /// Checks that no elements follow. This also checks the end of a compressed file. @throws InputError
  void finish();

 private:
  template <class T>
  void read_converted(std::span<T> to);
  void read_bytes(std::span<char> to);
  [[noreturn]] void refuse_size(const std::string& held) const;

  UnpackedFile file_;
  Element element_ = Element::u1;
  std::vector<std::int64_t> shape_;
  std::int64_t cols_ = 1;
  std::int64_t done_ = 0;  ///< bytes of elements that were read
};

}  // namespace recombine
