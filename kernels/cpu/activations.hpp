#pragma once

#include "kernels/math.hpp"

namespace recombine::cpu {

/// Math::bias_activation and Math::activation_gradient on all threads.
/// @throws Error if types or shapes do not match
void bias_activation(const BiasActivation& call);
void activation_gradient(const ActivationGradient& call);

}  // namespace recombine::cpu
