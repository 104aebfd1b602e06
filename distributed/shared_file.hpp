#pragma once

#include <cstdint>
#include <string>

#include "distributed/file_descriptor.hpp"

namespace recombine {

/// A file that one rank has made, open for writing on this one: each rank writes parts of its own. Errors begin with
/// `name`.
class SharedFile {
 public:
  /// What the rank that has made the file tells the others.
  struct Identity {
    std::string path;
    std::uint64_t inode = 0;
  };

  /// @throws InputError if that file is not at its path here, Error if it cannot be opened
  SharedFile(std::string name, const Identity& identity);

  void write(std::int64_t offset, const std::byte* from, std::int64_t bytes) const;
  void sync() const;  ///< to the disk

 private:
  std::string name_;
  FileDescriptor file_;
};

}  // namespace recombine
