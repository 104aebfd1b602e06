#pragma once

#include <string_view>

#include "distributed/session.hpp"

namespace recombine {

/// The frame of every program: starts the session, runs `work` on every rank, and turns an exception into one line on
/// stderr and an exit code. Every rank throws the same InputError or AgreedError, and rank 0 prints it; any other
/// exception aborts the job.
int run_program(std::string_view name, int argc, char** argv, void (*work)(Session& session, int argc, char** argv));

}  // namespace recombine
