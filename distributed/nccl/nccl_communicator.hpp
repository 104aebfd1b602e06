#pragma once

#include <memory>

#include "distributed/communicator.hpp"

namespace recombine::nccl {

/// True if this build has NCCL.
bool available();

/// NCCL collectives among the ranks of `group`, a communicator for the host's memory; the ranks connect through it.
/// If NCCL or a rank fails, a wait for the operation ends with an Error. While NCCL moves data, `group` compares the
/// signatures of the calls. A host that waits for the GPU also waits for the comparison. Blocks; every rank of `group`
/// calls it.
/// @throws InputError if this build has no NCCL
std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator> group, Device& device);

}  // namespace recombine::nccl
