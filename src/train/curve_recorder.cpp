#include "src/train/curve_recorder.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr double kRounding = 1e-4;  ///< of a loss: a sum of squares of differences between f32 numbers

}  // namespace

CurveRecorder::CurveRecorder(Trainer& trainer, BatchingRun& run, double loss_unit, TrainingListener* shown)
    : trainer_(trainer), run_(run), loss_unit_(loss_unit), shown_(shown) {
  run_.rows_per_update = trainer.batch_rows();
  run_.updates_per_epoch = trainer.steps_per_epoch();
  add_point(0);
}

void CurveRecorder::add_point(double seconds) {
  const double loss = trainer_.evaluate(trainer_.train_table()).loss;
  require_input(std::isfinite(loss),
                "--lr {}: {} training diverged: the loss of all rows after epoch {} is {}; expected a "
                "smaller learning rate",
                trainer_.schedule().lr, run_.strategy, run_.curve.size(), std::isnan(loss) ? "NaN" : "infinite");
  run_.curve.push_back({.seconds = seconds, .loss = loss_unit_ * loss});
}

void CurveRecorder::on_steps(const std::vector<StepRecord>& steps) {
  const std::int64_t half = trainer_.total_steps() / 2;
  for (const StepRecord& step : steps) {
    if (step.step > std::max<std::int64_t>(half, 1)) {
      const double rise = step.train_loss - before_;
      if (rise > kRounding * before_) rises_ += rise;
      ++counted_;
    }
    before_ = step.train_loss;
  }
  if (shown_) shown_->on_steps(steps);
}

void CurveRecorder::on_epoch(const EpochRecord& epoch) {
  add_point(run_.curve.back().seconds + epoch.seconds);
  if (shown_) shown_->on_epoch(epoch);
}

void CurveRecorder::finish() {
  run_.samples_per_second = static_cast<double>(trainer_.state().samples) / run_.curve.back().seconds;
  if (counted_ > 0) run_.rise = loss_unit_ * rises_ / static_cast<double>(counted_);
}

}  // namespace recombine
