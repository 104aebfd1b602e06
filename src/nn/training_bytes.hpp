#pragma once

#include "distributed/mesh.hpp"
#include "src/nn/trainer.hpp"

namespace recombine {

/// Bytes of memory that training takes on the rank that takes most, beside the data. In double: no sum overflows.
struct TrainingBytes {
  double parameters = 0;  ///< weights, their gradient, the optimizer's moments, the copy that is saved
  double values = 0;      ///< what the layers hold of a batch
  double total() const { return parameters + values; }
};
TrainingBytes training_bytes(const Mesh& mesh, const TrainerOptions& options, std::int64_t largest_batch);

}  // namespace recombine
