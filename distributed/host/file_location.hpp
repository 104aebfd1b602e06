#pragma once

#include <cstdint>

#include "kernels/file_descriptor.hpp"

namespace recombine {

/// How other processes of a host find an open file, which may have no name. Device and inode identify the file, because
/// the process number may belong to a different process in another PID namespace.
struct FileLocation {
  std::int64_t process = 0;
  std::int64_t number = -1;  ///< of the descriptor; -1: no file
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
};

/// The location of a file of this process. If the file cannot be inspected: a location without a file.
FileLocation location_of(const FileDescriptor& file);

/// Opens the file of another process, through /proc, to read and write it. The result is not open if there is no file,
/// if the system does not let this process open it, or if a different file is found there.
FileDescriptor open_file_at(const FileLocation& at);

}  // namespace recombine
