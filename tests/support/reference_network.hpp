#pragma once

#include <cstdint>
#include <vector>

#include "src/nn/model.hpp"
#include "src/train/batch_loader.hpp"

namespace recombine::test {

/// A dense network in plain loops and double precision, its gradient by central differences.
struct ReferenceNetwork {
  ModelShape shape;
  LossKind loss = LossKind::mse;
  std::vector<double> parameters;  ///< in the order of the file

  /// [batch, outputs] of inputs [batch, inputs]
  std::vector<double> outputs(const std::vector<double>& x) const;
  /// Mean over the batch. Labels for cross-entropy, targets [batch, outputs] for mse.
  double mean_loss(const std::vector<double>& x, const std::vector<double>& answers) const;
  /// dLoss/dParameters
  std::vector<double> gradient(const std::vector<double>& x, const std::vector<double>& answers) const;
};

double activated(Activation activation, double x);

}  // namespace recombine::test
