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

/// The bytes of a file in their order, unpacked if it is gzip, all of its members. It holds one piece of them at a
/// time.
class UnpackedFile {
 public:
  /// @throws InputError naming the file if it is missing, empty or no plain file
  UnpackedFile(const std::string& path, Growth growth);
  ~UnpackedFile();
  UnpackedFile(UnpackedFile&&) = default;

  /// Fills `to` and returns how many bytes it got: fewer only at the end of the file.
  /// @throws InputError naming the file if it is truncated or damaged, or grows beyond what `growth` allows
  std::size_t read(std::span<char> to);

  /// Refuses `bytes` of content, announced but not yet read, if `growth` does not allow it. @throws InputError
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
  /// Reads the next piece of the file, if none of the last is left. False at the end of the file.
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
