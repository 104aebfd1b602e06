#include <algorithm>
#include <string_view>

#include <fmt/ranges.h>

#include "distributed/session.hpp"
#include "kernels/ceil_div.hpp"
#include "kernels/error.hpp"
#include "src/report/answer_names.hpp"
#include "src/report/score_text.hpp"
#include "src/report/standard_output.hpp"
#include "src/report/train_report.hpp"

namespace recombine {

namespace {

constexpr double kTerminalInterval = 0.2;  // seconds between lines of progress
constexpr double kLogInterval = 30;
constexpr std::int64_t kMostEpochs = 20;  // that are shown

std::string percent(double share) { return fmt::format("{:.1f}%", 100 * share); }

std::string mfu(const RunResult& result, double peak) {
  if (peak <= 0) return "unknown";
  return percent(result.gflops() / peak);
}

/// Four decimals; small and large losses, as those in the units of a target, have some digits in all.
std::string loss_text(double loss) {
  if (loss >= 0.001 && loss < 100) return fmt::format("{:.4f}", loss);
  return loss < 1 ? fmt::format("{:.3g}", loss) : fmt::format("{:.5g}", loss);
}
std::string loss_text(const std::optional<Score>& score) { return score ? loss_text(score->loss) : "-"; }

std::int64_t epochs_of(const RunDescription& run) {
  if (run.evaluates) return 1;
  return ceil_div(run.total_steps, ceil_div(run.rows, run.batch_rows));
}

/// The peak of a burst as text; empty if it equals the sustained peak.
std::string burst(const Peak& peak) {
  return peak.burst_gflops == peak.gflops ? "" : fmt::format("; {:.0f} in a burst", peak.burst_gflops);
}

bool is_whole_table(const RunResult& result) { return !result.validation && !result.test; }

/// What an evaluation calls the rows of the training table.
const char* name_of_rows(const RunResult& result) { return is_whole_table(result) ? "all rows" : "training rows"; }

}  // namespace

void scale_losses(RunResult& result, double unit) {
  result.train_loss *= unit;
  for (std::optional<Score>* score : {&result.train, &result.validation, &result.test}) {
    if (*score) (*score)->loss *= unit;
  }
}

Console::Console(const RunDescription& run)
    : run_(run),
      shown_every_(ceil_div(epochs_of(run), kMostEpochs)),
      terminal_(shown_on_terminal()),
      start_(Session::now()),
      last_progress_(start_) {
  print("{} rank{}, mesh {} (i x j x k), {} thread{} each: {}\n", run.np, run.np == 1 ? "" : "s", run.mesh.to_string(),
        run.threads, run.threads == 1 ? "" : "s", run.device);
  if (run.collectives != "mpi") print("collectives by {}\n", run.collectives);
  print("{} with {} parameters{} on {}: {} rows{}\n", run.model, run.parameters,
        !run.init.empty()    ? " from --init"
        : run.loaded.empty() ? ""
                             : " from " + run.loaded,
        run.data, run.rows,
        run.evaluates ? "" : fmt::format(", batches of {}, {} steps", run.batch_size, run.total_steps));
  if (!run.loaded_names.empty()) recombine::print("its layers, in order: {}\n", fmt::join(run.loaded_names, ", "));
  if (!run.resumed.empty()) {
    recombine::print("{} after step {} from {}{}\n", run.evaluates ? "weights" : "continues", run.resumed_step,
                     run.resumed, run.is_over ? ": no step is left, these weights are evaluated" : "");
  }
  if (run.evaluates) {
    print("\n");
    return;
  }
  print("peak of a matrix product here: {:.0f} GFLOP/s ({}, all ranks at once{})\n\n", run.peak.gflops, run.precision,
        burst(run.peak));
  if (!run.defaults.empty()) print("defaults for these data: {}\n\n", run.defaults);
  print("{:>6} {:>8} {:>11}{} {:>11} {:>9} {:>11}\n", "epoch", "steps", "train loss",
        shows_both() ? fmt::format(" {:>11}", "valid. loss") : "", run.has_test ? "test loss" : "valid. loss",
        run.classifies ? "accuracy" : "", "samples/s");
  std::fflush(stdout);
}

void Console::on_steps(const std::vector<StepRecord>& steps) {
  const double now = Session::now();
  if (now - last_progress_ < (terminal_ ? kTerminalInterval : kLogInterval)) return;
  last_progress_ = now;
  const StepRecord& step = steps.back();
  const double rate = static_cast<double>(step.step - run_.resumed_step) / (now - start_);
  const double left = static_cast<double>(run_.total_steps - step.step) / rate;
  print("{}  step {} of {}, loss {}, {:.0f} samples/s, {:.0f} s left{}", terminal_ ? "\r" : "", step.step,
        run_.total_steps, loss_text(step.train_loss), rate * static_cast<double>(run_.batch_rows), left,
        terminal_ ? "\x1b[K" : "\n");
  std::fflush(stdout);
}

void Console::on_epoch(const EpochRecord& epoch) {
  if (epoch.epoch % shown_every_ != 0) {
    last_hidden_ = epoch;
    return;
  }
  last_hidden_.reset();
  print_epoch(epoch);
}

void Console::print_epoch(const EpochRecord& epoch) {
  const std::optional<Score>& shown = epoch.test ? epoch.test : epoch.validation;
  print("{}{:>6} {:>8} {:>11}{} {:>11} {:>9} {:>11.0f}\n", terminal_ ? "\r\x1b[K" : "", epoch.epoch, epoch.steps,
        loss_text(epoch.train_loss), shows_both() ? fmt::format(" {:>11}", loss_text(epoch.validation)) : "",
        loss_text(shown), shown && run_.classifies ? fmt::format("{:.4f}", shown->accuracy) : "",
        epoch.samples_per_second);
  std::fflush(stdout);
}

void Console::finish(const RunResult& result) {
  if (run_.evaluates) {
    finish_evaluation(result);
    return;
  }
  if (last_hidden_) print_epoch(*last_hidden_);
  const TimeSpent& time = result.time;
  const double total = std::max(time.total(), 1e-9);
  print("\nwhere {:.1f} s went, per rank: compute {}, exposed communication {}, input {}, evaluation {}, other {}\n",
        total, percent(time.compute / total),
        run_.waits == Waits::on_device ? "unknown, in compute" : percent(time.exposed_communication / total),
        percent(time.input / total), percent(time.evaluation / total), percent(time.other / total));
  if (const auto& slowest = result.slowest) {
    print("slowest rank: {}, which worked {:.1f} s, {} more than the mean; most of the difference is {}\n",
          slowest->rank, slowest->seconds, percent(slowest->seconds / slowest->mean_seconds - 1), slowest->part);
  }
  print("training: {:.0f} samples/s, {:.1f} GFLOP/s in products, {} of the measured peak (MFU)\n",
        result.samples_per_second(), result.gflops(), mfu(result, run_.peak.gflops));
  if (const auto& checkpoints = result.checkpoints; checkpoints && checkpoints->count > 0) {
    print("checkpoints: {}; training paused {:.1f} ms for each\n", checkpoints->count,
          1e3 * checkpoints->pause_seconds / static_cast<double>(checkpoints->count));
  }
  if (result.steps < run_.total_steps) print("stopped early: the validation loss did not improve\n");
  if (result.best_epoch > 0) {
    print("weights of epoch {}, which had the lowest validation loss\n", result.best_epoch);
  }
  if (result.test && run_.classifies) {
    print("test accuracy {:.4f}, test loss {:.4f}\n", result.test->accuracy, result.test->loss);
  } else {
    print("train loss {}: {:.6g}\n", run_.is_over ? "of these weights" : "of the last epoch", result.train_loss);
  }
  print_scores(result);
}

/// The scores of the validation and the test rows in detail.
void Console::print_scores(const RunResult& result) {
  const auto text = [&](const char* rows, const std::optional<TableScores>& scores) {
    if (!scores) return;
    const std::vector<std::string> names = run_.classifies ? class_names(run_.schema, std::ssize(scores->classes))
                                                           : target_names(run_.schema, std::ssize(scores->targets));
    print("{}", score_text(rows, *scores, names));
  };
  text(name_of_rows(result), result.train_scores);
  text("validation rows", result.validation_scores);
  text("test rows", result.test_scores);
  std::fflush(stdout);
}

void Console::finish_evaluation(const RunResult& result) {
  const auto line = [&](std::string_view rows, const Score& score) {
    const std::string accuracy = run_.classifies ? fmt::format(", accuracy {:.4f}", score.accuracy) : "";
    print("{:<17}loss {:.6g}{}\n", rows, score.loss, accuracy);
  };
  if (result.best_epoch > 0) {
    print("weights of epoch {}, which had the lowest validation loss\n", result.best_epoch);
  }
  if (result.train) line(name_of_rows(result), *result.train);
  if (result.train && is_whole_table(result)) {
    print("{:<17}(they may include rows that the model was trained on)\n", "");
  }
  if (result.validation) line("validation rows", *result.validation);
  if (result.test) line("test rows", *result.test);
  print_scores(result);
}

}  // namespace recombine
