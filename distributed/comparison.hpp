#pragma once

#include <optional>
#include <string>
#include <vector>

#include "distributed/session.hpp"
#include "kernels/libraries.hpp"

namespace recombine {

/// One thing that must be the same on every rank.
struct Fact {
  std::string name;   ///< the beginning of a message: "--seed", "program"
  std::string value;  ///< as messages show it
};
using Facts = std::vector<Fact>;

/// A rank's description of itself. Ranks compare their statements before anything depends on the options.
struct Statement {
  std::string where;    ///< "rank 1 on host"; not compared
  Facts self;           ///< program, version, build, ...
  std::string failure;  ///< why this rank could not read its options; "": no failure
  Facts facts;          ///< its options; none after a failure
};

/// The first difference between ranks, as one line with the fact, the values and the ranks. None if the ranks agree.
/// The same failure on every rank is not a difference. @param statements  one per rank, in rank order
std::optional<std::string> find_difference(const std::vector<Statement>& statements);

/// Throws if the statements of the ranks differ. Every program calls this first after creating the Session. The
/// exchange must stay the same in all versions: 8 words by MPI_Allreduce (magic, protocol, two hashes of the statement,
/// the complement of each); then, only if words differ, each rank's statement as text. Blocks; every rank calls it.
/// @throws InputError, the same on every rank
void require_same_start(const Session& session, const Statement& own);

/// Throws if the facts of the ranks differ. Blocks; every rank calls it. @pre no communication stream has work
/// @throws InputError, the same on every rank
void require_same(const Session& session, const Facts& facts);

/// True if `text` is the same on every rank. Blocks; every rank calls it. @pre no communication stream has work
bool same_on_every_rank(const Session& session, const std::string& text);

/// The text `own` of each rank, in rank order. Blocks; every rank calls it. @pre no communication stream has work
std::vector<std::string> from_every_rank(const Session& session, const std::string& own);

/// The lines of rank 0, on every rank. No line holds a line end, and the last one is not empty. Blocks; every rank calls
/// it. @pre no communication stream has work
std::vector<std::string> share_lines(const Session& session, const std::vector<std::string>& lines);

/// The libraries that a rank's results depend on: kernel_libraries() and Open MPI.
std::vector<Library> libraries();

}  // namespace recombine
