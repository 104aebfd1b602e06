#pragma once

#include "src/nn/trainer.hpp"

namespace recombine {

/// The memory that training takes on the rank at `coord`, as its device counts it (Device::memory_count()), without the
/// tables. Nothing is allocated. @param largest_batch  Trainer::largest_batch()
MemoryBytes training_bytes(const Mesh& mesh, const Coord& coord, const TrainerOptions& options,
                           std::int64_t largest_batch);

/// Bytes of the data's tables. On a CPU the ranks of a host share them; on a GPU each rank has a copy.
double table_bytes(const SharedData& data);

}  // namespace recombine
