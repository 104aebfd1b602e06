#pragma once

#include "distributed/session.hpp"
#include "src/matmul/problem.hpp"

namespace recombine {

/// The inputs of --explain.
struct ExplainJob {
  const Session& session;
  const MatmulCommand& command;
  const MatmulProblem& problem;
  Communicator& world;  ///< for the host's memory
  Device& device;
  Collectives collectives = Collectives::mpi;
};

}  // namespace recombine
