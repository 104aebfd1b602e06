#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/data/data_budget.hpp"

struct z_stream_s;

namespace recombine {

/// Reads the bytes of a file in order; decompresses a gzip file (all its members). Memory holds one piece of the
/// compressed bytes at a time.
class UnpackedFile {
 public:
  /// @throws InputError that names the file if it is missing, empty or not a regular file
  UnpackedFile(const std::string& path, Growth growth);
  ~UnpackedFile();
  UnpackedFile(UnpackedFile&&) = default;

  /// Fills `to` and returns the number of bytes read: less than the size of `to` only at the end of the file.
  /// @throws InputError that names the file if it is truncated or damaged, or grows beyond what `growth` allows
  std::size_t read(std::span<char> to);

  /// Checks whether `growth` allows `bytes` of content, which a header declares and nobody has read yet.
  /// @throws InputError if not
  void require_allowed(std::int64_t bytes) const;

  const std::string& path() const { return path_; }
  bool packed() const { return unpacker_ != nullptr; }
  std::int64_t file_bytes() const { return file_bytes_; }  ///< on disk

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct EndUnpacking {
    void operator()(z_stream_s* stream) const;
  };

  std::size_t read_plain(std::span<char> to);
  std::size_t unpack(std::span<char> to);
  /// Reads the next piece of the file if all of the last piece is used up. False at the end of the file.
  bool refill();
  bool begin_member();

  std::string path_;
  Growth growth_;
  std::unique_ptr<std::FILE, Close> file_;
  std::int64_t file_bytes_ = 0;
  std::int64_t given_ = 0;  ///< bytes that read() has returned
  std::vector<char> piece_;
  std::unique_ptr<z_stream_s, EndUnpacking> unpacker_;  ///< none: the file is not packed
  enum class At { member, between, end } at_ = At::between;
};

}  // namespace recombine
