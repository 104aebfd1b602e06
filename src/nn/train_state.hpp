#pragma once

#include <cstdint>
#include <limits>

namespace recombine {

/// Which weights a run ends with: those after the last step, or those of the epoch with the lowest validation loss.
enum class KeptWeights { last, best };

/// How far training has come. With the tensors of the model and of the optimizer, and the seed, it decides all that
/// follows. The same on every rank.
struct TrainState {
  std::int64_t step = 0;      ///< steps done
  std::int64_t epoch = 1;     ///< the epoch that runs, or that runs next
  std::int64_t position = 0;  ///< rows of the epoch that are done
  double epoch_loss_sum = 0;  ///< of those rows, each before its step's update; complete once losses are flushed
  std::int64_t samples = 0;   ///< rows seen since the beginning
  double best_loss = std::numeric_limits<double>::infinity();  ///< of the validation rows, over all epochs
  std::int64_t epochs_without_better = 0;
  std::int64_t best_epoch = 0;  ///< whose weights are kept as the best ones; 0: none are kept
  bool operator==(const TrainState&) const = default;
};

}  // namespace recombine
