#pragma once

#include <string_view>

#include "distributed/session.hpp"

namespace recombine {

/// The frame of every program: starts the session, runs `work` on every rank, and turns what it throws into one line on
/// stderr and an exit code. An InputError is every rank's and is told once; anything else aborts the job.
int run_program(std::string_view name, int argc, char** argv, void (*work)(Session& session, int argc, char** argv));

}  // namespace recombine
