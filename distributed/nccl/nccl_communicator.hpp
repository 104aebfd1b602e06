#pragma once

#include <memory>

#include "distributed/communicator.hpp"

namespace recombine::nccl {

/// Whether this build has NCCL.
bool available();

/// Collectives of NCCL among the ranks of `group`, which is for the host's memory: over it the ranks find each other.
/// A failure of NCCL, or of a rank, ends what waits for it with an Error. `group` also compares every call's signature,
/// at the same time: a host that waits for the GPU waits for that too. Blocks; every rank of `group` calls it.
/// @throws InputError where this build has no NCCL
std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator> group, Device& device);

}  // namespace recombine::nccl
