#pragma once

#include <functional>
#include <string_view>

#include "distributed/session.hpp"

namespace recombine {

/// What each program adds to the code that all programs share.
struct Program {
  std::string_view name;
  std::function<void()> before_start;  ///< called before MPI_Init and before the first thread starts; may be empty
  /// Called on every rank. Returns the exit code, the same on every rank.
  std::function<int(Session& session, int argc, char** argv)> work;
};

/// The frame of every program: starts the session, runs `work` on every rank, and turns an exception into one line on
/// stderr and an exit code. Every rank throws the same InputError or AgreedError, and rank 0 prints it; any other
/// exception aborts the job.
int run_program(const Program& program, int argc, char** argv);

}  // namespace recombine
