#pragma once

#include "distributed/communicator.hpp"
#include "distributed/matmul/planner.hpp"
#include "kernels/device.hpp"

namespace recombine {

/// Measures the planner's constants on this job in well under a second (on ranks that outnumber the cores, in a few):
/// local products of several forms, and each collective in groups of every divisor of np, at three sizes, while all
/// ranks do the same. Blocks; every rank of `world` calls it, and all get the same figures.
Machine measure_machine(Communicator& world, Device& device, DataType type, Collectives collectives = Collectives::mpi);

}  // namespace recombine
