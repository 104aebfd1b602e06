#pragma once

#include "distributed/mesh.hpp"
#include "src/nn/trainer.hpp"

namespace recombine {

/// Bytes of memory that training needs, without the data, on the rank that needs most. In double: no sum overflows.
struct TrainingBytes {
  double parameters = 0;  ///< weights (also rounded), their gradient, the optimizer's moments
  double values = 0;      ///< values of a batch in all layers
  double total() const { return parameters + values; }
};
TrainingBytes training_bytes(const Mesh& mesh, const TrainerOptions& options, std::int64_t largest_batch);

}  // namespace recombine
