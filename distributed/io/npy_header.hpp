#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "distributed/io/file_type.hpp"

namespace recombine {

/// Which elements are adjacent in a file: those of a row (C), or of a column (Fortran).
enum class MatrixOrder { rows, columns };

/// The header of a .npy file, which describes the array after it (numpy.lib.format, versions 1.0 to 3.0). An array of
/// any number of dimensions is a matrix here: its first extent counts the rows, all others together the columns.
struct NpyHeader {
  FileType type = {};
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  MatrixOrder order = MatrixOrder::rows;
  std::int64_t data_offset = 0;          ///< bytes from the beginning of the file to the first element
  std::vector<std::int64_t> shape = {};  ///< all extents, as the file says; format_npy_header() writes [rows, cols]

  std::int64_t file_bytes() const { return data_offset + rows * cols * size_of(type); }
};

/// The longest header that parse_npy_header() accepts, in bytes: read so many bytes to parse any.
inline constexpr std::int64_t kNpyHeaderMost = 12 + 65535;

/// `start` is the file's first min(file_bytes, kNpyHeaderMost) bytes. Messages of errors begin with `name`, such as
/// "--a a.npy". @throws InputError unless the file is exactly an array of 1 to 4 dimensions, of one of the types of
/// Element; the message says how to convert other types
NpyHeader parse_npy_header(const std::string& name, std::string_view start, std::int64_t file_bytes);

/// @throws InputError that begins with `name`, unless the array has two dimensions
void require_matrix(const std::string& name, const NpyHeader& header);

/// The bytes of a header, as numpy.save writes them: version 1.0, padded so that data_offset is a multiple of 64.
/// Ignores `header.data_offset`, which is the length of the result. @pre header.type is f32 or f64
std::string format_npy_header(const NpyHeader& header);

}  // namespace recombine
