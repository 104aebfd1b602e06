#pragma once

#include <memory>

#include "distributed/communicator.hpp"

namespace recombine::nccl {

/// Whether this build has NCCL.
bool available();

/// Collectives of NCCL among the ranks of `group`, which is for the host's memory: over it the ranks find each other.
/// If NCCL or a rank fails, a wait for the operation ends with an Error. At the same time `group` compares the
/// signature of every call: a host that waits for the GPU also waits for the comparison. Blocks; every rank of `group`
/// calls it.
/// @throws InputError where this build has no NCCL
std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator> group, Device& device);

}  // namespace recombine::nccl
