#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <sys/uio.h>

#include "kernels/file_descriptor.hpp"

namespace recombine {

/// Reads rows from any places of a file. Adjacent rows are one read. Rows in the page cache are read at once. For the
/// other rows, the disk first receives all requests, so that it can serve many at the same time.
class ScatteredRead {
 public:
  /// Row rows[i] of the file goes to row i of `to`.
  ScatteredRead(std::span<const std::int64_t> rows, std::int64_t row_bytes, std::byte* to);

  using Read = std::function<void(std::byte* to, std::int64_t bytes, std::int64_t offset)>;
  /// @param read  reads bytes of `file` and may wait for the disk
  void run(const FileDescriptor& file, const Read& read) const;

 private:
  struct Run {
    std::int64_t offset, bytes;  ///< in the file
    std::size_t begin, count;    ///< in pieces_
  };
  void read_late(const Run& run, const Read& read) const;

  std::vector<Run> runs_;
  std::vector<iovec> pieces_;  ///< where the bytes of the runs go
};

}  // namespace recombine
