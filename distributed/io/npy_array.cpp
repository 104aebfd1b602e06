#include "distributed/io/npy_array.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "distributed/io/convert.hpp"
#include "distributed/io/file_kind.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kScratchBytes = std::int64_t{1} << 20;  // stays in the cache from reading to conversion

[[noreturn]] void refuse(const std::string& name, int reason) {
  throw InputError(fmt::format("{}: cannot be read: {}; expected a readable .npy file", name, std::strerror(reason)));
}

FileDescriptor open_file(const std::string& name, const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) refuse(name, errno);
  require_input(S_ISREG(status.st_mode), "{}: is {}; expected a regular .npy file", name, kind_of(status.st_mode));
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) refuse(name, errno);
  return file;
}

NpyHeader read_header(const std::string& name, const FileDescriptor& file) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) refuse(name, errno);
  std::string start(static_cast<std::size_t>(std::min<std::int64_t>(status.st_size, kNpyHeaderMost)), '\0');
  const ssize_t got = pread(file.get(), start.data(), start.size(), 0);
  if (got < 0) refuse(name, errno);
  start.resize(static_cast<std::size_t>(got));
  return parse_npy_header(name, start, status.st_size);
}

/// Where the columns of a row in Fortran order lie in C order.
std::vector<std::int64_t> places_in_c_order(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> places = {0};
  std::int64_t stride = 1;
  std::vector<std::int64_t> strides;  // of the extents after the first
  for (std::size_t d = shape.size(); d-- > 1; stride *= shape[d]) strides.insert(strides.begin(), stride);
  for (std::size_t d = 1; d < shape.size(); ++d) {
    const std::size_t before = places.size();
    for (std::int64_t i = 1; i < shape[d]; ++i) {
      for (std::size_t p = 0; p < before; ++p) places.push_back(places[p] + i * strides[d - 1]);
    }
  }
  return places;
}

}  // namespace

NpyArray::NpyArray(std::string name, const std::string& path)
    : name_(std::move(name)), file_(open_file(name_, path)), header_(read_header(name_, file_)) {}

void NpyArray::read_bytes(std::int64_t element, std::byte* to, std::int64_t count) const {
  const std::int64_t size = size_of(header_.type);
  std::int64_t offset = header_.data_offset + element * size;
  for (std::int64_t left = count * size; left > 0;) {
    const ssize_t got = pread(file_.get(), to, static_cast<std::size_t>(left), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(fmt::format("{}: cannot be read: {}", name_, std::strerror(errno)));
    if (got == 0) throw Error(fmt::format("{}: ends at byte {}: it was cut short while it was read", name_, offset));
    to += got;
    offset += got;
    left -= got;
  }
  if (header_.type.order == ByteOrder::big) swap_bytes(to - count * size, count, header_.type.element);
}

void NpyArray::read(std::int64_t first, MatrixView to) const {
  require(to.contiguous() && to.cols == header_.cols && first >= 0 && first + to.rows <= header_.rows,
          "{}: reading of [{},{}] from row {} on", name_, to.rows, to.cols, first);
  if (to.empty()) return;
  if (header_.order == MatrixOrder::columns) {
    read_columns(first, to);
    return order_columns(to);
  }
  const std::int64_t count = to.rows * to.cols;
  if (native_type(header_.type.element) == to.type) return read_bytes(first * to.cols, to.data, count);
  const std::int64_t most = std::min(count, kScratchBytes / size_of(header_.type));
  const auto scratch =
      std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(most * size_of(header_.type)));
  for (std::int64_t begin = 0; begin < count; begin += most) {
    const std::int64_t n = std::min(most, count - begin);
    read_bytes(first * to.cols + begin, scratch.get(), n);
    convert({scratch.get(), 1, n, n, header_.type.element}, Transpose::no,
            as_matrix(as_vector(to).range(begin, begin + n), 1, n));
  }
}

/// Reads a file in Fortran order: of each column a run, some columns at a time.
void NpyArray::read_columns(std::int64_t first, MatrixView to) const {
  const std::int64_t most = std::clamp<std::int64_t>(kScratchBytes / (to.rows * size_of(header_.type)), 1, to.cols);
  const std::int64_t run = to.rows * size_of(header_.type);
  const auto scratch = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(most * run));
  for (std::int64_t begin = 0; begin < to.cols; begin += most) {
    const std::int64_t n = std::min(most, to.cols - begin);
    for (std::int64_t c = 0; c < n; ++c) {
      read_bytes((begin + c) * header_.rows + first, scratch.get() + c * run, to.rows);
    }
    convert({scratch.get(), n, to.rows, to.rows, header_.type.element}, Transpose::yes, to.block(0, begin, to.rows, n));
  }
}

/// The columns of a matrix are in order; those of an array with more extents are not.
void NpyArray::order_columns(MatrixView rows) const {
  if (header_.shape.size() < 3) return;
  const std::vector<std::int64_t> places = places_in_c_order(header_.shape);
  const std::int64_t size = size_of(rows.type);
  std::vector<std::byte> ordered(static_cast<std::size_t>(rows.cols * size));
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    std::byte* const row = rows.data + i * rows.cols * size;
    for (std::size_t c = 0; c < places.size(); ++c) {
      std::copy_n(row + static_cast<std::int64_t>(c) * size, size, ordered.data() + places[c] * size);
    }
    std::ranges::copy(ordered, row);
  }
}

void NpyArray::read(std::int64_t first, std::span<std::uint8_t> to) const {
  require(header_.type == FileType(Element::u1), "{}: reading of {} as bytes", name_, text_of(header_.type));
  const auto count = static_cast<std::int64_t>(to.size());
  if (count == 0) return;
  if (header_.order == MatrixOrder::rows) {
    return read_bytes(first * header_.cols, reinterpret_cast<std::byte*>(to.data()), count);
  }
  std::vector<float> values(to.size());  // each byte is exact in f32
  read(first, as_matrix(vector_view(values.data(), count), count / header_.cols, header_.cols));
  std::ranges::transform(values, to.begin(), [](float x) { return static_cast<std::uint8_t>(x); });
}

}  // namespace recombine
