#include "src/report/batching_progress.hpp"

#include <utility>

#include "distributed/session.hpp"
#include "src/explain/text_layout.hpp"
#include "src/report/standard_output.hpp"

namespace recombine {

namespace {

constexpr double kTerminalInterval = 0.2, kLogInterval = 30;  ///< seconds between two lines

}  // namespace

void print_heading(const BatchingComparison& comparison) {
  print("{}", fitted(fmt::format("{} rank{}, mesh {} (i x j x k), {} thread{} each: {}", comparison.np,
                                 comparison.np == 1 ? "" : "s", comparison.mesh.to_string(), comparison.threads,
                                 comparison.threads == 1 ? "" : "s", comparison.device)));
  print("{}", fitted(fmt::format("{} with {} parameters on {}: {} rows", comparison.model, comparison.parameters,
                                 comparison.data, comparison.rows)));
  print("{}", fitted(fmt::format("three trainings from the same weights{}, each {} epochs of {}, {} learning rate {}",
                                 comparison.loaded.empty() ? "" : ", those of " + comparison.loaded, comparison.epochs,
                                 comparison.optimizer, comparison.schedule, comparison.lr)));
  if (!comparison.defaults.empty()) print("{}", fitted("defaults for this comparison: " + comparison.defaults));
  print("\n");
  std::fflush(stdout);
}

BatchingProgress::BatchingProgress(std::string strategy, std::int64_t total_steps)
    : strategy_(std::move(strategy)),
      total_steps_(total_steps),
      terminal_(shown_on_terminal()),
      start_(Session::now()),
      last_shown_(start_) {}

void BatchingProgress::on_steps(const std::vector<StepRecord>& steps) {
  const double now = Session::now();
  if (now - last_shown_ < (terminal_ ? kTerminalInterval : kLogInterval)) return;
  last_shown_ = now;
  const std::int64_t step = steps.back().step;
  const double left = (now - start_) * static_cast<double>(total_steps_ - step) / static_cast<double>(step);
  print("{}  {}: update {} of {}, epoch {}, {:.0f} s left{}", terminal_ ? "\r" : "", strategy_, step, total_steps_,
        steps.back().epoch, left, terminal_ ? "\x1b[K" : "\n");
  std::fflush(stdout);
}

void BatchingProgress::finish(const BatchingRun& run) const {
  print("{}{}: {} updates, {:.3g} s\n", terminal_ ? "\r\x1b[K" : "", strategy_, total_steps_, run.curve.back().seconds);
  std::fflush(stdout);
}

}  // namespace recombine
