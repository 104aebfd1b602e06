#include "src/nn/feature_store.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/error.hpp"
#include "src/nn/disk_folder.hpp"
#include "src/nn/scattered_read.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kPart = std::int64_t{16} << 20;  // bytes of a part in for_each_part()

FileDescriptor make_file(FeatureStore::Place place) {
  if (place == FeatureStore::Place::memory) return FileDescriptor(memfd_create("recombine-table", MFD_CLOEXEC));
  return make_disk_file();
}

/// Calls `transfer(to, bytes, offset)`, as pread() or pwrite(), until all bytes are done.
template <class Byte, class Transfer>
void transfer_all(const std::string& source, Byte* data, std::size_t bytes, std::int64_t offset,
                  const Transfer& transfer) {
  while (bytes > 0) {
    const ssize_t done = transfer(data, bytes, offset);
    if (done < 0 && errno == EINTR) continue;
    require(done > 0, "{}: its copy in {} cannot be read or written: {}", source, disk_folder(),
            done < 0 ? std::strerror(errno) : "it is too short");
    data += done;
    bytes -= static_cast<std::size_t>(done);
    offset += done;
  }
}

}  // namespace

FeatureStore::FeatureStore(const std::string& source, Place place, std::int64_t rows, std::int64_t cols,
                           FileDescriptor file)
    : source_(source), place_(place), rows_(rows), cols_(cols), file_(std::move(file)) {}

FeatureStore::FeatureStore(const std::string& source, Place place, std::int64_t rows, std::int64_t cols)
    : FeatureStore(source, place, rows, cols, make_file(place)) {
  const bool on_disk = place == Place::disk;
  const std::string where = on_disk ? disk_folder() + " (set TMPDIR for another folder)" : "the host's memory";
  require_input(file_.is_open(), "{}: no temporary file can be made in {}: {}", source, where, std::strerror(errno));
  if (bytes() == 0) return;
  const int failed = on_disk                                ? posix_fallocate(file_.get(), 0, bytes())
                     : ftruncate(file_.get(), bytes()) != 0 ? errno
                                                            : 0;
  require_input(failed == 0, "{}: its rows take {} bytes in {}: {}; expected more room", source, bytes(), where,
                std::strerror(failed));
}

void FeatureStore::write(std::int64_t first, std::span<const float> values) const {
  transfer_all(
      source_, reinterpret_cast<const char*>(values.data()), values.size_bytes(), first * row_bytes(),
      [&](const char* from, std::size_t bytes, std::int64_t at) { return pwrite(file_.get(), from, bytes, at); });
}

void FeatureStore::read(std::int64_t first, std::span<float> to) const {
  transfer_all(source_, reinterpret_cast<char*>(to.data()), to.size_bytes(), first * row_bytes(),
               [&](char* into, std::size_t bytes, std::int64_t at) { return pread(file_.get(), into, bytes, at); });
}

void FeatureStore::read_rows(std::span<const std::int64_t> rows, std::span<float> to) const {
  const ScatteredRead plan(rows, row_bytes(), reinterpret_cast<std::byte*>(to.data()));
  plan.run(file_, [&](std::byte* into, std::int64_t bytes, std::int64_t at) {
    transfer_all(
        source_, into, static_cast<std::size_t>(bytes), at,
        [&](std::byte* part, std::size_t size, std::int64_t from) { return pread(file_.get(), part, size, from); });
  });
}

void FeatureStore::for_parts(const Visit& visit) const {
  if (bytes() == 0) return;
  const std::int64_t some = std::max<std::int64_t>(1, kPart / row_bytes());
  std::vector<float> part(static_cast<std::size_t>(std::min(some, rows_) * cols_));
  for (std::int64_t first = 0; first < rows_; first += some) {
    const std::int64_t rows = std::min(some, rows_ - first);
    const std::span<float> values = std::span(part).first(static_cast<std::size_t>(rows * cols_));
    read(first, values);
    visit(first, values);
  }
}

void FeatureStore::for_each_part(const std::function<void(std::int64_t first, MatrixView rows)>& visit) const {
  for_parts([&](std::int64_t first, std::span<float> values) {
    const std::int64_t size = std::ssize(values);
    visit(first, as_matrix(vector_view(values.data(), size), size / cols_, cols_));
    write(first, values);
  });
}

void FeatureStore::read_parts(const std::function<void(std::int64_t first, ConstMatrixView rows)>& visit) const {
  for_parts([&](std::int64_t first, std::span<float> values) {
    const std::int64_t size = std::ssize(values);
    visit(first, as_matrix(vector_view(std::as_const(values).data(), size), size / cols_, cols_));
  });
}

}  // namespace recombine
