#include <algorithm>
#include <exception>
#include <functional>
#include <vector>

#include "distributed/io/convert.hpp"
#include "distributed/io/npy_file.hpp"
#include "distributed/io/shared_file.hpp"
#include "distributed/session.hpp"
#include "kernels/cpu/cpu_stream.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kScratchBytes = std::int64_t{1} << 20;

}  // namespace

/// The temporary file as this rank sees it, and the first error of writing it.
struct NpyWriter::Output {
  NpyHeader header;
  DataType type = DataType::f32;  ///< of the file's elements
  std::string path;
  std::optional<SharedFile> file;
  std::exception_ptr failure;

  /// Keeps an error for commit(), where all ranks learn of it. If one rank's stream failed now, the others would wait.
  void attempt(const std::function<void()>& work) {
    if (failure) return;
    try {
      work();
    } catch (const std::exception&) {
      failure = std::current_exception();
    }
  }

  std::int64_t offset(std::int64_t row, std::int64_t col) const {
    return header.data_offset + (row * header.cols + col) * size_of(type);
  }

  void write(Range rows, Range cols, ConstMatrixView from) const {
    const bool whole_rows = cols.size() == header.cols;
    if (from.type == type && (from.contiguous() || !whole_rows)) return write_as_it_lies(rows, cols, from);
    const std::int64_t row_bytes = cols.size() * size_of(type);
    const std::int64_t most = std::clamp<std::int64_t>(kScratchBytes / row_bytes, 1, rows.size());
    const auto scratch = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(most * row_bytes));
    for (std::int64_t begin = 0; begin < rows.size(); begin += most) {
      const std::int64_t n = std::min(most, rows.size() - begin);
      const MatrixView band{scratch.get(), n, cols.size(), cols.size(), type};
      convert(from.block(begin, 0, n, from.cols), Transpose::no, band);
      write_as_it_lies({rows.begin + begin, rows.begin + begin + n}, cols, band);
    }
  }

 private:
  void write_as_it_lies(Range rows, Range cols, ConstMatrixView from) const {
    const std::int64_t row_bytes = cols.size() * size_of(type);
    if (cols.size() == header.cols && from.contiguous()) {
      return file->write(offset(rows.begin, 0), from.data, rows.size() * row_bytes);
    }
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      file->write(offset(rows.begin + i, cols.begin), from.block(i, 0, 1, from.cols).data, row_bytes);
    }
  }
};

NpyWriter::NpyWriter(Communicator& world, Stream& stream, const std::string& option, const std::string& path,
                     DataType type, DistMatrix::Shape shape)
    : world_(world), name_(fmt::format("--{} {}", option, path)), path_(path), output_(std::make_shared<Output>()) {
  NpyHeader& header = output_->header;
  output_->type = type;
  header = {.type = type, .rows = shape.rows, .cols = shape.cols};
  header.data_offset = static_cast<std::int64_t>(format_npy_header(header).size());
  on_root(world, stream, [&] { create(header); });
  SharedFile::Identity identity;
  if (temporary_) identity = {temporary_->path(), temporary_->inode()};
  identity = SharedFile::share(world, stream, identity);
  output_->path = identity.path;
  agree(world, stream, [&] { output_->file.emplace(name_, identity); });
}

const std::string& NpyWriter::temporary_path() const { return output_->path; }

void NpyWriter::create(const NpyHeader& header) {
  temporary_.emplace(name_, path_);
  temporary_->write(format_npy_header(header));
  temporary_->reserve(header.file_bytes());
}

std::string NpyWriter::note() const { return temporary_ ? temporary_->note() : ""; }

void NpyWriter::write(Stream& stream, Range rows, Range cols, ConstMatrixView from) {
  const NpyHeader& header = output_->header;
  const bool inside = 0 <= rows.begin && rows.end <= header.rows && 0 <= cols.begin && cols.end <= header.cols;
  require(inside && from.rows == rows.size() && from.cols == cols.size(),
          "writing of [{},{}] to rows {} to {} and columns {} to {} of [{},{}]", from.rows, from.cols, rows.begin,
          rows.end, cols.begin, cols.end, header.rows, header.cols);
  if (from.empty()) return;
  cpu::submit_call(cpu::as_cpu_stream(stream),
                   [=, output = output_] { output->attempt([&] { output->write(rows, cols, from); }); });
}

void NpyWriter::commit(Stream& stream) {
  cpu::submit_call(cpu::as_cpu_stream(stream), [output = output_] {
    output->attempt([&] { output->file->sync(); });
    output->file.reset();
  });
  stream.synchronize();
  agree(world_, stream, [&] {
    if (output_->failure) std::rethrow_exception(output_->failure);
  });
  on_root(world_, stream, [&] { temporary_->publish(); });
}

}  // namespace recombine
