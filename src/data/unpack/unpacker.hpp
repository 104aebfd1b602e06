#pragma once

#include <memory>
#include <span>
#include <string_view>

namespace recombine {

/// Decompresses the bytes of one format, piece by piece.
class Unpacker {
 public:
  enum class State {
    more,     ///< the compressed data go on
    between,  ///< a member of the file has ended: the file may end here, or another member follows
    damaged,  ///< these are not data of the format
    too_wide  ///< unpacking needs more memory than the limit of 256 MiB
  };

  virtual ~Unpacker() = default;
  /// Reads from `from` and writes to `to` as many bytes as possible. Both are then what is left of them.
  virtual State unpack(std::span<const char>& from, std::span<char>& to) = 0;
  virtual std::string_view format() const = 0;  ///< its name, for messages: gzip
};

/// The unpacker for a file that begins with these bytes; null: the file is not compressed by gzip, xz or zstd.
std::unique_ptr<Unpacker> make_unpacker(std::string_view start);

}  // namespace recombine
