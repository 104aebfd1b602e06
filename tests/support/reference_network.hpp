#pragma once

#include <cstdint>
#include <vector>

#include "src/nn/batch_loss.hpp"
#include "src/nn/model.hpp"

namespace recombine::test {

/// A dense network in plain loops and double precision. Its gradient comes from central differences.
struct ReferenceNetwork {
  ModelShape shape;
  LossKind loss = LossKind::mse;
  std::vector<double> parameters;  ///< in the order of a saved model

  /// [batch, outputs] of inputs [batch, inputs]
  std::vector<double> outputs(const std::vector<double>& x) const;
  /// Mean over the batch. `answers` are labels for cross-entropy, targets [batch, outputs] for mse.
  double mean_loss(const std::vector<double>& x, const std::vector<double>& answers) const;
  /// dLoss/dParameters
  std::vector<double> gradient(const std::vector<double>& x, const std::vector<double>& answers) const;
};

double activated(Activation activation, double x);

}  // namespace recombine::test
