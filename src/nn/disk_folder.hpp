#pragma once

#include <string>

#include "kernels/file_descriptor.hpp"

namespace recombine {

/// The folder for large files without a name: $TMPDIR, or else /var/tmp. /tmp may lie in memory.
std::string disk_folder();

/// A new file without a name in disk_folder(), to read and write. Not open: there is no such folder or no room (errno).
FileDescriptor make_disk_file();

}  // namespace recombine
