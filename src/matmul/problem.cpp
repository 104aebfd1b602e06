#include "src/matmul/problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "distributed/io/convert.hpp"
#include "kernels/error.hpp"
#include "src/matmul/explain/worked_example.hpp"

namespace recombine {

namespace {

constexpr double kMostElements = 0x1p50;

constexpr Transpose flip(Transpose transpose) { return transpose == Transpose::no ? Transpose::yes : Transpose::no; }

/// The file at `path`; if `path` is empty, a matrix of `shape` whose elements are computed.
MatrixSource source_of(const MatmulCommand& command, const char* option, const std::string& path, Transpose transpose,
                       std::uint64_t tensor, DistMatrix::Shape shape) {
  if (!path.empty()) return MatrixSource::from_file(option, path, transpose);
  if (command.explain) {
    return MatrixSource::given(std::string(1, "AB"[tensor]), shape, worked_example(tensor, shape));
  }
  return MatrixSource::made({.seed = command.seed, .tensor = tensor, .cols = shape.cols}, shape);
}

/// b: all whole numbers up to 2^b are exact in `type`.
int exact_bits(DataType type) { return type == DataType::f64 ? 53 : type == DataType::f32 ? 24 : 8; }

/// A file, and the type to which its elements are converted for the product.
struct Conversion {
  const MatrixSource& source;
  DataType to;

  /// "--a a.npy is f64, narrowed to f32"; "" if the file has the type already
  std::string text() const {
    const FileType from = source.file_type().value_or(FileType());
    if (!source.file_type() || native_type(from) == to) return {};
    return fmt::format("{} is {}, {} to {}{}", source.name(), text_of(from), verb(from), name_of(to), limit(from));
  }

 private:
  std::string_view verb(FileType from) const {
    if (!is_float(from.element) || from.order == ByteOrder::big || size_of(from) == size_of(to)) return "converted";
    return size_of(from) > size_of(to) ? "narrowed" : "widened";
  }
  /// " (exact up to 2^24, with --dtype f64 up to 2^53)", if `to` does not hold all whole numbers of the file's type
  std::string limit(FileType from) const {
    if (is_float(from.element) || from.element == Element::b1) return {};
    const bool is_signed = from.element <= Element::i8;
    const std::int64_t bits = 8 * size_of(from) - (is_signed ? 1 : 0);
    if (bits <= exact_bits(to)) return {};
    const int most = exact_bits(DataType::f64);
    const std::string with_f64 = bits <= most ? "always" : fmt::format("up to 2^{}", most);
    return fmt::format(" (exact up to 2^{}{})", exact_bits(to),
                       to == DataType::f64 ? "" : ", with --dtype f64 " + with_f64);
  }
};

std::string shape_text(const MatrixSource& source) {
  return fmt::format("{} is [{},{}]", source.name(), source.rows(), source.cols());
}

}  // namespace

MatrixSource MatrixSource::from_file(const std::string& option, const std::string& path, Transpose transpose) {
  MatrixSource source;
  source.name_ = fmt::format("--{} {}", option, path);
  source.transpose_ = transpose;
  source.file_ = std::make_shared<NpyReader>(option, path);
  const NpyHeader& header = source.file_->header();
  source.shape_ = {header.rows, header.cols};
  if (transpose == Transpose::yes) {
    std::swap(source.shape_.rows, source.shape_.cols);
    source.name_ += " transposed";
  }
  return source;
}

MatrixSource MatrixSource::made(const Generated& matrix, DistMatrix::Shape shape) {
  MatrixSource source;
  source.name_ = std::string(1, "ABC"[matrix.tensor]);
  source.shape_ = shape;
  source.made_ = matrix;
  return source;
}

MatrixSource MatrixSource::given(const std::string& name, DistMatrix::Shape shape, std::vector<double> values) {
  MatrixSource source;
  source.name_ = name;
  source.shape_ = shape;
  source.values_ = std::move(values);
  return source;
}

std::optional<FileType> MatrixSource::file_type() const {
  return file_ ? std::optional(file_->header().type) : std::nullopt;
}

void MatrixSource::read_to_host(Stream& io, Range rows, Range cols, Transpose transpose, MatrixView to) const {
  if (file_) return file_->read(io, rows, cols, transpose, to);
  const ConstMatrixView all = as_matrix(vector_view(values_.data(), std::ssize(values_)), shape_.rows, shape_.cols);
  convert(all.block(rows.begin, cols.begin, rows.size(), cols.size()), transpose, to);
}

void MatrixSource::read(RankContext& context, Stream& io, Range rows, Range cols, Transpose transpose,
                        MatrixView to) const {
  if (!file_ && values_.empty()) return generate(context, made_, rows, cols, transpose, to);
  const bool swapped = transpose_ == Transpose::yes;
  if (swapped) std::swap(rows, cols);
  if (swapped) transpose = flip(transpose);
  if (context.device().kind() == DeviceKind::cpu) return read_to_host(io, rows, cols, transpose, to);
  const Buffer host = Buffer::on_host(context.device(), to.type, to.rows * to.cols);
  read_to_host(io, rows, cols, transpose, host.matrix(to.rows, to.cols));
  io.synchronize();
  context.device().copy(context.compute(), as_vector(to), host.view());
  context.compute().synchronize();
}

MatmulProblem::MatmulProblem(const MatmulCommand& command)
    : a(source_of(command, "a", command.a, command.trans_a, kTensorA, {command.m.value_or(0), command.k.value_or(0)})),
      b(source_of(command, "b", command.b, command.trans_b, kTensorB, {command.k.value_or(0), command.n.value_or(0)})) {
  require_input(a.cols() == b.rows(), "{} and {}; expected as many rows in the second as columns in the first",
                shape_text(a), shape_text(b));
  shape = {a.rows(), b.cols(), a.cols()};
  // An empty matrix in a file can have any extent if its other extent is 0.
  require_input(std::max({shape.m, shape.n, shape.k}) <= kLargestExtent, "{} and {}: expected extents of at most 2^40",
                shape_text(a), shape_text(b));
  for (const auto& [rows, cols] : {std::pair{shape.m, shape.k}, {shape.k, shape.n}, {shape.m, shape.n}}) {
    require_input(static_cast<double>(rows) * static_cast<double>(cols) <= kMostElements,
                  "--m, --n, --k: a matrix [{},{}] is too large for any memory; expected at most 2^50 elements", rows,
                  cols);
  }
  if (command.beta != 0) read_c0(command);
  set_type(command.type);
  for (const auto& [name, factor] : {std::pair{"alpha", command.alpha}, {"beta", command.beta}}) {
    require_input(shape.type == DataType::f64 || std::abs(factor) <= std::numeric_limits<float>::max(),
                  "--{} {}: expected a number that f32 can hold, or --dtype f64", name, factor);
  }
}

void MatmulProblem::read_c0(const MatmulCommand& command) {
  c0 = source_of(command, "c", command.c, Transpose::no, kTensorC, {shape.m, shape.n});
  require_input(c0->rows() == shape.m && c0->cols() == shape.n, "{}; expected [{},{}], the shape of the product",
                shape_text(*c0), shape.m, shape.n);
}

void MatmulProblem::set_type(const std::optional<DataType>& asked) {
  const auto is_f64 = [](const MatrixSource& source) {
    return source.file_type() && source.file_type()->element == Element::f8;
  };
  const bool wide = is_f64(a) || is_f64(b) || (c0 && is_f64(*c0));
  shape.type = asked.value_or(wide ? DataType::f64 : DataType::f32);
  std::vector<Conversion> all = {{a, shape.type}, {b, shape.type}};
  if (c0) all.push_back({*c0, shape.result_type()});
  for (const Conversion& conversion : all) {
    const std::string text = conversion.text();
    if (!text.empty()) conversions += (conversions.empty() ? "" : "; ") + text;
  }
}

}  // namespace recombine
