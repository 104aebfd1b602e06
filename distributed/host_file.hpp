#pragma once

#include "distributed/session.hpp"
#include "kernels/file_descriptor.hpp"

namespace recombine {

/// Opens the file of the first rank of each host on every rank of that host, the first rank included. The file may have
/// no name. Blocks; every rank of the host calls it, while no communication stream has work. Only `file` of the first
/// rank is used; the first rank may close it afterwards.
/// @returns a descriptor that is not open, on every rank of the host, if the system does not let one of them open the
/// file
FileDescriptor open_host_file(const Session& session, const FileDescriptor& file);

}  // namespace recombine
