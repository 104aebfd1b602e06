#pragma once

#include <vector>

#include "src/explain/numbers.hpp"
#include "src/nn/trainer.hpp"

namespace recombine {

/// A weight matrix [out, in] or a bias [1, out] in one step; all empty if a layer has no bias.
struct ParameterNumbers {
  Numbers before, gradient, after;
  bool empty() const { return before.values.empty(); }
};

/// The whole matrices of a layer in one step.
struct LayerNumbers {
  Activation activation = Activation::identity;
  Numbers x;   ///< [batch, in]
  Numbers y;   ///< [batch, out], after the activation
  Numbers dz;  ///< [batch, out], dLoss/dZ of Y = activation(Z)
  ParameterNumbers weight, bias;
};

/// All numbers of one training step, the same on every rank and for any mesh.
struct StepNumbers {
  StepRecord record;               ///< with the loss and the learning rate
  std::vector<std::int64_t> rows;  ///< of the training table, from 0, in the order of the batch
  LossKind loss = LossKind::mse;
  Numbers targets;  ///< [batch, outputs]; for classes: 1 in the column of the row's class, else 0
  OptimizerOptions optimizer;
  std::vector<LayerNumbers> layers;

  std::int64_t batch() const { return std::ssize(rows); }
  std::int64_t outputs() const { return targets.cols; }
  /// True if the update is W - lr dW.
  bool plain_update() const {
    return optimizer.kind == OptimizerKind::sgd && optimizer.weight_decay == 0 && optimizer.clip_norm == 0;
  }
};

/// The step as the text shows it: results of sums are rounded(). Inputs and weights are not sums.
StepNumbers rounded(StepNumbers step);

/// Collects the matrices of steps from all ranks. Every rank calls all functions.
class StepCollector {
 public:
  /// @param all  all ranks of the mesh, in its order, for memory of the context's device
  StepCollector(RankContext& context, Communicator& all, const Trainer& trainer, const SharedData& data,
                const TrainerOptions& options);

  /// The step that `trainer` has just trained.
  StepNumbers collect(const StepRecord& record);

 private:
  std::vector<Numbers> weights() const;
  Numbers targets(const std::vector<std::int64_t>& rows) const;

  RankContext& context_;
  Communicator& all_;
  const Trainer& trainer_;
  const SharedData& data_;
  TrainerOptions options_;
  std::vector<Numbers> before_;  ///< for each tensor of the layout: its values before the next step
};

}  // namespace recombine
