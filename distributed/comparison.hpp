#pragma once

#include <optional>
#include <string>
#include <vector>

#include "distributed/session.hpp"
#include "kernels/libraries.hpp"

namespace recombine {

/// One thing that must be the same on every rank.
struct Fact {
  std::string name;   ///< what a message begins with: "--seed", "program"
  std::string value;  ///< as messages show it
};
using Facts = std::vector<Fact>;

/// What a rank says of itself before it does anything that depends on its options.
struct Statement {
  std::string where;    ///< "rank 1 on host"; not compared
  Facts self;           ///< program, version, build, ...
  std::string failure;  ///< why this rank could not read its options; "": it could
  Facts facts;          ///< its options; none after a failure
};

/// The first difference between ranks as one line, which names the fact, the values and the ranks; none: they agree.
/// What every rank fails with, in the same words, is no difference. statements: one for each rank, in order
std::optional<std::string> find_difference(const std::vector<Statement>& statements);

/// Refuses ranks that differ. Every rank, whatever program and version of the project it is, calls this first after
/// Session. What is exchanged never changes: 8 words by MPI_Allreduce (magic, protocol, two hashes of the statement,
/// and the complement of each); only if they differ, each rank's statement as text. Blocks.
/// @throws InputError on every rank, the same
void require_same_start(const Session& session, const Statement& own);

/// Refuses ranks whose facts differ. Blocks; every rank calls it. @pre no communication stream has work
/// @throws InputError on every rank, the same
void require_same(const Session& session, const Facts& facts);

/// Whether `text` is the same on every rank. Blocks; every rank calls it. @pre no communication stream has work
bool same_on_every_rank(const Session& session, const std::string& text);

/// What each rank says, in the order of ranks. Blocks; every rank calls it. @pre no communication stream has work
std::vector<std::string> from_every_rank(const Session& session, const std::string& own);

/// Those that a rank's results depend on: kernel_libraries() and Open MPI.
std::vector<Library> libraries();

}  // namespace recombine
