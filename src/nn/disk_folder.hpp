#pragma once

#include <string>

#include "kernels/file_descriptor.hpp"

namespace recombine {

/// The folder for large files without a name: $TMPDIR, or else /var/tmp. Not /tmp, which may be in memory.
std::string disk_folder();

/// A new file without a name in disk_folder(), to read and write. Not open: there is no such folder or no room (errno).
/// Makes a file without a name in disk_folder(). Not open if that fails; errno then has the reason.
FileDescriptor make_disk_file();

}  // namespace recombine
