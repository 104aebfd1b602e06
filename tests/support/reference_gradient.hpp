#pragma once

#include "tests/support/reference_network.hpp"

namespace recombine::test {

/// The gradient of a ReferenceNetwork by backpropagation, in double precision.
struct ReferenceGradient {
  double loss = 0;             ///< mean over the batch
  std::vector<double> values;  ///< dLoss/dParameters, in the order of a saved model
  /// For each element: the sum of the magnitudes of its terms, through all layers. The rounding error of the same
  /// computation in a type with unit roundoff u is at most a small multiple of u times this.
  std::vector<double> scales;
};
ReferenceGradient backpropagated(const ReferenceNetwork& network, const std::vector<double>& x,
                                 const std::vector<double>& answers);

}  // namespace recombine::test
