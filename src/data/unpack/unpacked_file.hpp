#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/file_descriptor.hpp"
#include "src/data/data_budget.hpp"
#include "src/data/unpack/unpacker.hpp"

namespace recombine {

/// Reads the bytes of a file in order; decompresses a file of gzip, xz or zstd (all its members). The first bytes
/// decide about the format, not the name. Only one piece of the compressed bytes is in memory at a time.
class UnpackedFile {
 public:
  /// @throws InputError that names the file if it is missing, empty or not a regular file
  UnpackedFile(const std::string& path, Growth growth);
  /// Standard input: it may also be a pipe. @throws InputError if it is empty
  static UnpackedFile standard_input(Growth growth);

  /// Fills `to` and returns the number of bytes read: less than the size of `to` only at the end of the file.
  /// @throws InputError that names the file if it is truncated or damaged, or grows beyond what `growth` allows
  std::size_t read(std::span<char> to);

  /// Checks whether `growth` allows `bytes` of content, which a header declares and nobody has read yet.
  /// @throws InputError if not
  void require_allowed(std::int64_t bytes) const;

  const std::string& path() const { return path_; }
  bool packed() const { return unpacker_ != nullptr; }
  std::int64_t file_bytes() const { return file_bytes_; }  ///< on disk; of a pipe: read so far
  /// Hands over the open file itself. Its position is where read() stopped.
  FileDescriptor take_file() && { return std::move(file_); }

 private:
  UnpackedFile(std::string name, FileDescriptor file, Growth growth);

  std::size_t read_plain(std::span<char> to);
  std::size_t read_file(std::span<char> to);
  std::size_t unpack(std::span<char> to);
  /// Reads the next piece of the file if all of the last piece is used up. False at the end of the file.
  bool refill();

  std::string path_;
  Growth growth_;
  FileDescriptor file_;
  bool is_regular_ = false;
  std::int64_t file_bytes_ = 0;
  std::int64_t given_ = 0;  ///< bytes that read() has returned
  std::vector<char> piece_;
  std::span<const char> left_;          ///< of piece_
  std::unique_ptr<Unpacker> unpacker_;  ///< null: the file is not compressed
  Unpacker::State state_ = Unpacker::State::between;
};

}  // namespace recombine
