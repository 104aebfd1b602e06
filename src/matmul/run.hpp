#pragma once

#include "distributed/session.hpp"
#include "src/matmul/options.hpp"

namespace recombine {

/// All of `matmul`: reads or makes the operands, plans, multiplies, verifies, writes and reports. Every rank calls it.
/// @throws InputError the same on every rank, Error
void run_matmul(Session& session, const MatmulCommand& command);

}  // namespace recombine
