#pragma once

#include "distributed/communicator.hpp"
#include "distributed/matmul/planner.hpp"
#include "kernels/device.hpp"

namespace recombine {

/// Measures the planner's constants on this job: local products of several forms, and each collective at three sizes in
/// groups of every divisor of np, while all ranks do the same. Takes well under a second, or a few seconds if there are
/// more ranks than cores. Blocks; every rank of `world` calls it, and all get the same figures.
Machine measure_machine(Communicator& world, Device& device, DataType type, Collectives collectives = Collectives::mpi);

}  // namespace recombine
