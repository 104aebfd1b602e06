#include <algorithm>
#include <utility>

#include "distributed/io/convert.hpp"
#include "distributed/io/npy_array.hpp"
#include "distributed/io/npy_file.hpp"
#include "distributed/mpi/mpi_file.hpp"
#include "kernels/cpu/cpu_stream.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kScratchBytes = std::int64_t{1} << 20;  // stays in the cache from reading to conversion
constexpr std::int64_t kColsAtOnce = 1 << 13;
/// Reading across a gap of so few bytes is faster than skipping the gap: measured for gaps from 512 bytes to this.
constexpr std::int64_t kShortGapBytes = 1 << 13;

}  // namespace

/// Rows here are rows of the file: for a matrix in Fortran order, its columns.
struct NpyReader::Source {
  NpyHeader header;
  mpi::File file;

  /// MPI does not say why a file cannot be opened: so NpyArray opens it first.
  Source(const std::string& name, const std::string& path) : header(NpyArray(name, path).header()), file(name, path) {
    require_matrix(name, header);
  }

  std::int64_t width() const { return header.order == MatrixOrder::rows ? header.cols : header.rows; }
  std::int64_t element() const { return size_of(header.type); }
  std::int64_t offset(std::int64_t row, std::int64_t col) const {
    return header.data_offset + (row * width() + col) * element();
  }
  bool gap_is_short(Range cols) const { return (width() - cols.size()) * element() <= kShortGapBytes; }

  void read(Range rows, Range cols, Transpose transpose, MatrixView to) const {
    const bool as_it_lies = transpose == Transpose::no && native_type(header.type.element) == to.type;
    if (as_it_lies && cols.size() == width() && to.contiguous()) {
      return read_run(rows.begin, 0, to.data, rows.size() * cols.size());
    }
    if (as_it_lies && !gap_is_short(cols)) return read_rows(rows, cols, to.data, to.ld);
    for (std::int64_t begin = cols.begin; begin < cols.end; begin += kColsAtOnce) {
      const Range some{begin, std::min(begin + kColsAtOnce, cols.end)};
      const std::int64_t at = begin - cols.begin;
      read_staged(
          rows, some, transpose,
          transpose == Transpose::no ? to.block(0, at, to.rows, some.size()) : to.block(at, 0, some.size(), to.cols));
    }
  }

 private:
  void to_native(std::byte* data, std::int64_t count) const {
    if (header.type.order == ByteOrder::big) swap_bytes(data, count, header.type.element);
  }
  void read_run(std::int64_t row, std::int64_t col, std::byte* to, std::int64_t count) const {
    file.read(offset(row, col), to, count * element());
    to_native(to, count);
  }
  /// Reads into memory whose rows are `ld` elements apart.
  void read_rows(Range rows, Range cols, std::byte* to, std::int64_t ld) const {
    if (ld == cols.size()) {
      file.read_strided(offset(rows.begin, cols.begin), rows.size(), cols.size() * element(), width() * element(), to);
      return to_native(to, rows.size() * cols.size());
    }
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      read_run(rows.begin + i, cols.begin, to + i * ld * element(), cols.size());
    }
  }

  /// Reads band by band into scratch memory (whole rows, if the rest of a row is short), and converts from there.
  void read_staged(Range rows, Range cols, Transpose transpose, MatrixView to) const {
    const bool read_on = gap_is_short(cols);
    const std::int64_t ld = read_on ? width() : cols.size();
    const std::int64_t most = std::clamp<std::int64_t>(kScratchBytes / (ld * element()), 1, rows.size());
    const auto scratch = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(most * ld * element()));
    for (std::int64_t begin = 0; begin < rows.size(); begin += most) {
      const std::int64_t n = std::min(most, rows.size() - begin);
      const Range some{rows.begin + begin, rows.begin + begin + n};
      if (read_on) {
        read_run(some.begin, cols.begin, scratch.get(), (n - 1) * ld + cols.size());
      } else {
        read_rows(some, cols, scratch.get(), ld);
      }
      convert({scratch.get(), n, cols.size(), ld, header.type.element}, transpose,
              transpose == Transpose::no ? to.block(begin, 0, n, to.cols) : to.block(0, begin, to.rows, n));
    }
  }
};

NpyReader::NpyReader(const std::string& option, const std::string& path)
    : source_(std::make_shared<Source>(fmt::format("--{} {}", option, path), path)) {}

const NpyHeader& NpyReader::header() const { return source_->header; }

void NpyReader::read(Stream& stream, Range rows, Range cols, Transpose transpose, MatrixView to) {
  const bool inside = 0 <= rows.begin && rows.begin <= rows.end && rows.end <= header().rows && 0 <= cols.begin &&
                      cols.begin <= cols.end && cols.end <= header().cols;
  require(inside, "rows {} to {} and columns {} to {} of a matrix [{},{}]", rows.begin, rows.end, cols.begin, cols.end,
          header().rows, header().cols);
  const bool fits = transpose == Transpose::no ? to.rows == rows.size() && to.cols == cols.size()
                                               : to.rows == cols.size() && to.cols == rows.size();
  require(fits, "reading of [{},{}] into [{},{}]", rows.size(), cols.size(), to.rows, to.cols);
  if (to.empty()) return;
  if (header().order == MatrixOrder::columns) {
    std::swap(rows, cols);
    transpose = transpose == Transpose::no ? Transpose::yes : Transpose::no;
  }
  cpu::submit_call(cpu::as_cpu_stream(stream), [=, source = source_] { source->read(rows, cols, transpose, to); });
}

}  // namespace recombine
