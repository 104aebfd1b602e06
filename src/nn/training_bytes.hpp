#pragma once

#include "src/nn/trainer.hpp"

namespace recombine {

/// Predicts the bytes that Device::memory_count() counts during training on the rank at `coord`, except for the tables.
/// @param largest_batch  Trainer::largest_batch()
MemoryBytes training_bytes(const Mesh& mesh, const Coord& coord, const TrainerOptions& options,
                           std::int64_t largest_batch);

/// Bytes of the memory through which a CPU rank streams tables on a disk; 0 if there are no such tables. They count as
/// buffers.
double staging_bytes(const Mesh& mesh, const Coord& coord, const SharedData& data, std::int64_t largest_batch);

/// Bytes of all tables in memory, so without features on a disk. On CPUs the ranks of a host share one copy; on GPUs
/// each rank also has its own copy, if it fits.
double table_bytes(const SharedData& data);

}  // namespace recombine
