#pragma once

#include <cstdint>
#include <string>

#include <mpi.h>

namespace recombine::mpi {

/// A file that only this rank opens for reading. The messages of its Errors begin with `name`.
class File {
 public:
  /// MPI's counts are ints, so longer runs are read in pieces.
  static constexpr std::int64_t kLargestPiece = std::int64_t{1} << 30;

  /// @param largest_piece  bytes of one read; for tests  @throws Error
  File(std::string name, const std::string& path, std::int64_t largest_piece = kLargestPiece);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& name() const { return name_; }
  void read(std::int64_t offset, std::byte* to, std::int64_t bytes) const;
  /// Reads `runs` runs of `bytes` bytes into contiguous memory. In the file, they begin `stride` bytes apart.
  void read_strided(std::int64_t offset, std::int64_t runs, std::int64_t bytes, std::int64_t stride,
                    std::byte* to) const;

 private:
  [[noreturn]] void fail(const char* what, int code) const;

  std::string name_;
  std::int64_t largest_piece_;
  MPI_File file_ = MPI_FILE_NULL;
};

}  // namespace recombine::mpi
