#pragma once

#include <string>

#include "src/nn/parameter_layout.hpp"
#include "src/nn/step_ring.hpp"

namespace recombine {

/// What a message about divergence says in addition to the place.
struct DivergenceAdvice {
  double lr = 0;       ///< the learning rate
  std::string remedy;  ///< what is expected: "a smaller learning rate"
};

/// Describes where training diverged, in one line that is the same on every rank. Every rank of the mesh calls it, with
/// its own record of the first step whose loss or new weights are not finite. NaN and infinity began
///
///     if outputs of a hidden layer are not finite     in the first such layer, in the order of forward
///     else if the loss is not finite                  in the outputs of the last layer, or in the loss itself
///     else                                            in the last tensor with such a new weight: backward comes from
///                                                     the last layer, so this is the first one
///
/// Outputs of gelu are checked before the activation.
std::string describe_divergence(RankContext& context, const ParameterLayout& layout, const StepRecord& step,
                                const DivergenceAdvice& advice);

}  // namespace recombine
