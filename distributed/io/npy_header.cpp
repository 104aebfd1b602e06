#include "distributed/io/npy_header.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "distributed/io/npy_literal.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

std::int64_t little_endian(std::string_view bytes) {
  std::int64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

/// The literal in the file's first bytes. Sets `data_offset` to the end of the literal.
std::string_view find_literal(const std::string& name, std::string_view start, std::int64_t file_bytes,
                              std::int64_t& data_offset) {
  require_input(file_bytes > 0, "{}: is empty; {}", name, kExpectedNpy);
  require_input(!start.starts_with("PK\x03\x04"),
                "{}: is an .npz archive of several arrays; expected one array: save it by numpy.save('A.npy', "
                "numpy.load('FILE.npz')['NAME'])",
                name);
  require_input(start.starts_with(kMagic.substr(0, std::min(start.size(), kMagic.size()))),
                "{}: is not a .npy file (it begins with '{}'); {}", name, printable(start.substr(0, kMagic.size())),
                kExpectedNpy);
  const auto cut_short = [&](std::int64_t announced) {
    return InputError(fmt::format("{}: is cut short: has {} bytes; expected {}, as its header announces", name,
                                  file_bytes, announced));
  };
  require_input(start.size() >= 12, "{}: is cut short: {} bytes are too few for a header; {}", name, file_bytes,
                kExpectedNpy);
  const int major = static_cast<unsigned char>(start[6]);
  const int minor = static_cast<unsigned char>(start[7]);
  require_input(major >= 1 && major <= 3 && minor == 0, "{}: has .npy version {}.{}; expected 1.0, 2.0 or 3.0", name,
                major, minor);
  const std::size_t begin = major == 1 ? 10 : 12;
  const std::int64_t length = little_endian(start.substr(8, begin - 8));
  data_offset = static_cast<std::int64_t>(begin) + length;
  require_input(length <= 65535, "{}: its header is {} bytes long; expected at most 65535", name, length);
  if (data_offset > file_bytes) throw cut_short(data_offset);
  return start.substr(begin, static_cast<std::size_t>(length));
}

/// What elements of a type that is no Element are, and what to save instead.
std::string refusal_of(std::string_view descr) {
  const bool bare = descr.empty() || std::string_view("<>=|").find(descr.front()) == std::string_view::npos;
  const std::string_view code = bare ? descr : descr.substr(1);
  const auto is_one_of = [&](std::string_view letters) {
    return !code.empty() && letters.find(code.front()) != std::string_view::npos;
  };
  if ((code.starts_with("c") && code.size() > 1) || is_one_of("FDG")) {
    return "complex numbers; expected real ones: save A.real and A.imag of the array A";
  }
  if (is_one_of("O")) return "Python objects; expected numbers: save A.astype('float32') of the array A";
  if (is_one_of("SUac")) {
    return "texts; expected numbers: save A.astype('float32') of the array A, or numbers in place of the texts";
  }
  if (is_one_of("Mm")) return "dates or times; expected numbers: save A.astype('int64') of the array A";
  if (code == "f16" || is_one_of("g")) {
    return "long doubles; expected f2, f4 or f8: save A.astype('float64') of the array A";
  }
  return "no type that is known here; expected f2, f4, f8, i1 to i8, u1 to u8 or b1: save A.astype('float32') of the "
         "array A";
}

FileType type_named(const std::string& name, NpyLiteral& literal) {
  const std::string_view rest = literal.rest();
  const std::string_view descr = rest.starts_with('[') || rest.starts_with('(') ? "" : literal.quoted();
  require_input(!descr.empty() && descr.find(',') == std::string_view::npos,
                "{}: has elements of several fields; expected numbers: save one field, such as A['{}'] of the array A",
                name, "x");
  const auto type = file_type_named(descr);
  require_input(type.has_value(), "{}: has elements of type '{}', {}", name, printable(descr), refusal_of(descr));
  return *type;
}

std::string shape_text(const std::vector<std::int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ",")); }

/// Sets rows and cols. Checks that the elements fill the rest of the file.
void set_extents(const std::string& name, NpyHeader& header, std::int64_t file_bytes) {
  const std::vector<std::int64_t>& shape = header.shape;
  require_input(!shape.empty() && shape.size() <= 4, "{}: has {} dimensions; expected 1 to 4", name, shape.size());
  header.rows = shape.front();
  header.cols = 1;
  bool too_many = false;
  for (std::size_t d = 1; d < shape.size(); ++d) {
    too_many = __builtin_mul_overflow(header.cols, shape[d], &header.cols) || too_many;
  }
  std::int64_t bytes = 0;
  too_many = too_many || __builtin_mul_overflow(header.rows, header.cols, &bytes) ||
             __builtin_mul_overflow(bytes, size_of(header.type), &bytes) ||
             __builtin_add_overflow(bytes, header.data_offset, &bytes);
  require_input(!too_many, "{}: its header announces an array {}, more than a file can hold; expected fewer elements",
                name, shape_text(shape));
  require_input(file_bytes >= bytes, "{}: is cut short: has {} bytes; expected {}, as its header announces", name,
                file_bytes, bytes);
  require_input(file_bytes == bytes, "{}: is too long: has {} bytes; expected {}, as its header announces", name,
                file_bytes, bytes);
}

}  // namespace

NpyHeader parse_npy_header(const std::string& name, std::string_view start, std::int64_t file_bytes) {
  NpyHeader header;
  NpyLiteral literal(name, find_literal(name, start, file_bytes, header.data_offset));
  constexpr std::array<std::string_view, 3> kKeys = {"descr", "fortran_order", "shape"};
  std::array<int, 3> seen{};
  literal.expect('{');
  while (!literal.take('}')) {
    const auto key = static_cast<std::size_t>(std::ranges::find(kKeys, literal.quoted()) - kKeys.begin());
    if (key == kKeys.size() || seen[key]++ != 0) literal.damaged();
    literal.expect(':');
    if (key == 0) header.type = type_named(name, literal);
    if (key == 1) header.order = literal.truth() ? MatrixOrder::columns : MatrixOrder::rows;
    if (key == 2) header.shape = literal.extents();
    if (!literal.take(',')) {
      literal.expect('}');
      break;
    }
  }
  if (!literal.rest().empty() || std::ranges::count(seen, 1) != 3) literal.damaged();
  set_extents(name, header, file_bytes);
  return header;
}

void require_matrix(const std::string& name, const NpyHeader& header) {
  if (header.shape.size() == 2) return;
  if (header.shape.size() == 1) {
    throw InputError(fmt::format(
        "{}: has 1 dimension; expected 2: save A.reshape({}, 1), a column, or A.reshape(1, {}), a row, of the array A",
        name, header.rows, header.rows));
  }
  throw InputError(
      fmt::format("{}: has {} dimensions {}; expected 2: save A.reshape({}, {}) of the array A, or one of its matrices",
                  name, header.shape.size(), shape_text(header.shape), header.rows, header.cols));
}

std::string format_npy_header(const NpyHeader& header) {
  require(native_type(header.type).has_value(), "no .npy file of {}", text_of(header.type));
  std::string literal = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}, {}), }}",
                                    header.type.element == Element::f4 ? "<f4" : "<f8",
                                    header.order == MatrixOrder::columns ? "True" : "False", header.rows, header.cols);
  const std::size_t before = kMagic.size() + 4;
  literal.append(63 - (before + literal.size()) % 64, ' ');
  literal += '\n';
  const char low = static_cast<char>(literal.size() & 0xFF);
  const char high = static_cast<char>(literal.size() >> 8);
  return std::string(kMagic) + '\x01' + '\0' + low + high + literal;
}

}  // namespace recombine
