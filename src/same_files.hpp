#pragma once

#include <vector>

#include "distributed/session.hpp"
#include "src/report/output_file.hpp"

namespace recombine {

/// How much of a file that hosts have apart is compared.
enum class Compared {
  places,     ///< its size, and all bytes up to 64 MiB; of a longer file 64 MiB in 1,024 places spread over it
  all_bytes,  ///< its size and all bytes
};

/// Refuses input files that are not the same on every rank. One file that all ranks of one machine see costs nothing;
/// else one rank for each file that is apart (another host, another folder) reads and hashes it. Blocks; every rank
/// calls it. @pre no communication stream has work @throws InputError naming option, ranks and what they have
void require_same_files(const Session& session, const std::vector<NamedFile>& files, Compared compared);

}  // namespace recombine
