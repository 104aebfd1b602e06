#pragma once

#include <vector>

#include "distributed/io/output_file.hpp"
#include "distributed/session.hpp"

namespace recombine {

/// How much of a file is compared if hosts do not share it.
enum class Compared {
  places,     ///< its size, and all bytes up to 64 MiB; of a larger file 64 KiB at each of 1,024 places
  all_bytes,  ///< its size and all bytes
};

/// Refuses input files that are not the same on every rank. If all ranks are on one machine and see the same file, no
/// rank reads it; otherwise one rank for each different file (another host, another folder) reads and hashes it.
/// Blocks; every rank calls it. @pre no communication stream has work
/// @throws InputError that names the option, the ranks and the files' sizes and hashes
void require_same_files(const Session& session, const std::vector<NamedFile>& files, Compared compared);

}  // namespace recombine
