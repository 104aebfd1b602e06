#pragma once

#include "distributed/session.hpp"
#include "kernels/file_descriptor.hpp"

namespace recombine {

/// Opens the file of the first rank of each host on every rank of that host; the first rank opens it once more. The
/// file may have no name. Blocks; every rank of the host calls it, while no communication stream has work. Only `file`
/// of the first rank is used, which it may close afterwards.
/// @returns not open, on every rank of the host, if the system does not let a rank open the file
FileDescriptor open_host_file(const Session& session, const FileDescriptor& file);

}  // namespace recombine
