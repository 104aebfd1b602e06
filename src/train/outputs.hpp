#pragma once

#include <optional>
#include <vector>

#include "src/report/standard_output.hpp"
#include "src/report/train_report.hpp"
#include "src/train/options.hpp"

namespace recombine {

/// The files that rank 0 writes. They are opened before training, so that a wrong path is reported at once, and checked
/// during training, so that a removed folder is reported before the end.
class Outputs : public TrainingListener {
 public:
  explicit Outputs(const TrainCommand& command) {
    if (!command.save.empty()) save.emplace("save", command.save);
    if (!command.predictions.empty()) predictions.emplace("predictions", command.predictions);
    if (!command.summary.empty()) summary.emplace("summary", command.summary);
    if (!command.metrics.empty()) metrics.emplace(command.metrics, command.metrics_every);
  }
  std::optional<OutputFile> save, predictions, summary;
  std::optional<MetricsFile> metrics;

  void print_notes() const {
    print_note("train", save ? save->note() : "");
    print_note("train", predictions ? predictions->note() : "");
    print_note("train", summary ? summary->note() : "");
    print_note("train", metrics ? metrics->note() : "");
  }
  void on_steps(const std::vector<StepRecord>& steps) override {
    if (save) save->require_there();
    if (predictions) predictions->require_there();
    if (summary) summary->require_there();
    if (metrics) metrics->on_steps(steps);
  }
  void on_epoch(const EpochRecord& epoch) override {
    if (metrics) metrics->on_epoch(epoch);
  }
};

/// Passes records on to the console and the files, which only rank 0 has. Keeps the record of the last epoch.
class Fanout : public TrainingListener {
 public:
  std::vector<TrainingListener*> targets;
  double loss_unit = 1;  ///< losses that are passed on are multiplied by this
  EpochRecord last;      ///< its losses are those of the network

  void on_steps(const std::vector<StepRecord>& steps) override {
    std::vector<StepRecord> scaled;
    if (loss_unit != 1 && !targets.empty()) {
      scaled = steps;
      for (StepRecord& step : scaled) step.train_loss *= loss_unit;
    }
    for (TrainingListener* target : targets) target->on_steps(scaled.empty() ? steps : scaled);
  }
  void on_epoch(const EpochRecord& epoch) override {
    last = epoch;
    EpochRecord scaled = epoch;
    scaled.train_loss *= loss_unit;
    for (std::optional<Score>* score : {&scaled.validation, &scaled.test}) {
      if (*score) (*score)->loss *= loss_unit;
    }
    for (TrainingListener* target : targets) target->on_epoch(scaled);
  }
};

}  // namespace recombine
