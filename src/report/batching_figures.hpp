#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "distributed/mesh.hpp"
#include "src/report/provenance.hpp"

namespace recombine {

/// The state after an epoch.
struct EpochPoint {
  double seconds = 0;  ///< of training so far
  double loss = 0;     ///< mean over all training rows, with the weights that the epoch ended with
};

/// One of the trainings of --compare-batching.
struct BatchingRun {
  std::string strategy;  ///< "stochastic", "mini-batch" or "batch"
  std::int64_t rows_per_update = 0;
  std::int64_t updates_per_epoch = 0;
  std::vector<EpochPoint> curve;  ///< by epoch; the first point is before training
  double samples_per_second = 0;
  /// How far the loss of an update's own rows rises above that of the update before: mean over the second half of the
  /// updates, with 0 if it falls. None: there are fewer than two updates
  std::optional<double> rise;
  std::vector<float> weights;  ///< all parameters, in the order of a file; on rank 0

  double lowest_loss() const;
  /// The first epoch after which the loss is at most `loss`; 0: before training. None: there is no such epoch
  std::optional<std::int64_t> epochs_until(double loss) const;
};

/// The trainings of --compare-batching, in the order stochastic, mini-batch, batch, and what they have in common.
/// Losses of one regression target are in its own units.
struct BatchingComparison {
  int np = 1;
  Mesh mesh{1, 1, 1};
  std::string device;
  int threads = 1;
  std::string data, model;
  std::string loaded;  ///< the file of the first weights; "": new weights
  std::int64_t parameters = 0, rows = 0, epochs = 0;
  std::string optimizer;  ///< "sgd"
  std::string schedule;   ///< "constant"
  double lr = 0;
  std::uint64_t seed = 0;
  std::string defaults;              ///< the options that were chosen for these data; "": none
  std::optional<double> asked_loss;  ///< --until-loss
  Provenance provenance;
  std::vector<BatchingRun> runs;

  /// The loss that the runs are to reach: asked_loss; else 99% of the way down from the first loss to the highest loss at
  /// the end of a run, rounded up to three digits, so that every run reaches it. (The last percent would measure by
  /// what chance updates on a few rows come close to the minimum.) If a run ends above the first loss: the highest of
  /// the lowest losses. Has more digits if it would not be below the first loss otherwise. @pre !runs.empty()
  double until_loss() const;
};

/// `value` rounded up to `digits` significant decimal digits. @pre value >= 0
double rounded_up(double value, int digits);

double norm_of(const std::vector<float>& weights);
/// The norm of a - b. @pre they have the same size
double distance(const std::vector<float>& a, const std::vector<float>& b);

/// The trainings as text of at most 80 columns: a table, what its columns mean, the final weights, and what follows
/// from the figures.
std::string comparison_text(const BatchingComparison& comparison);

/// The sentences at the end of comparison_text(): which strategy needs the fewest epochs, computes the most rows in a
/// second, and is the smoothest.
std::string findings_text(const BatchingComparison& comparison);

/// What --summary has and launch/experiment/batching_plot.py reads: one JSON object. src/report/README.md explains its
/// keys.
std::string comparison_json(const BatchingComparison& comparison);

}  // namespace recombine
