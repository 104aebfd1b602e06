#pragma once

#include <cstdint>
#include <string>

#include "distributed/communicator.hpp"
#include "kernels/file_descriptor.hpp"

namespace recombine {

/// A file that one rank has made and all ranks open; each rank writes its own parts. Error messages begin with `name`.
class SharedFile {
 public:
  /// Bytes. If the address and the offset of write() are equal modulo kBlock, whole blocks go to the disk without a
  /// copy in the page cache (O_DIRECT).
  static constexpr std::int64_t kBlock = 4096;
  static constexpr std::int64_t kLeastDirect = 16 * kBlock;  ///< bytes; smaller parts always go through the page cache

  /// How the other ranks find and recognize the file.
  struct Identity {
    std::string path;
    std::uint64_t inode = 0;
  };

  /// Sends rank 0's identity to all ranks of `world`. Blocks; every rank calls it.
  static Identity share(Communicator& world, Stream& stream, const Identity& of_root);

  /// @throws InputError if this rank does not find that file at its path; Error if it cannot open the file
  SharedFile(std::string name, const Identity& identity);

  void write(std::int64_t offset, const std::byte* from, std::int64_t bytes) const;
  /// Asks the system to begin writing these bytes to the disk now: else it may begin only in sync().
  void begin_sync(std::int64_t offset, std::int64_t bytes) const noexcept;
  void sync() const;  ///< to the disk

 private:
  void write_through(const FileDescriptor& file, std::int64_t offset, const std::byte* from, std::int64_t bytes) const;

  std::string name_;
  FileDescriptor file_;
  FileDescriptor direct_;  ///< the same file with O_DIRECT; not open if the file system refuses that
};

}  // namespace recombine
