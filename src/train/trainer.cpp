#include "src/train/trainer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "distributed/session.hpp"
#include "kernels/ceil_div.hpp"
#include "kernels/error.hpp"
#include "kernels/trace_range.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kEvaluationBatch = 1000;

/// Measures laps: add_to() adds the time since the last add_to(), or since construction, to `sum`.
class Lap {
 public:
  void add_to(double& sum) {
    const double now = Session::now();
    sum += now - start_;
    start_ = now;
  }

 private:
  double start_ = Session::now();
};

}  // namespace

Trainer::Trainer(RankContext& context, const SharedData& data, const TrainerOptions& options)
    : context_(context),
      data_(data),
      options_(options),
      model_(context, options.model, largest_batch(data, options), options.seed),
      optimizer_(context, model_, options.optimizer),
      reducer_(context, model_.gradient()),
      loader_(context, largest_batch(data, options)),
      train_(context, data.train()),
      validation_(context, data.validation()),
      test_(context, data.test()),
      losses_(context.device(), DataType::f64, kStepSums * kFlushSteps),
      best_loss_(std::numeric_limits<double>::infinity()) {
  options_.schedule.steps = total_steps();
}

std::int64_t Trainer::largest_batch(const SharedData& data, const TrainerOptions& options) {
  const std::int64_t evaluated = std::max(data.test().rows(), data.validation().rows());
  return std::max(options.batch_size, std::min(evaluated, kEvaluationBatch));
}

std::int64_t Trainer::steps_per_epoch() const { return ceil_div(data_.train().rows(), options_.batch_size); }

std::int64_t Trainer::total_steps() const {
  std::int64_t all = 0;
  const bool countable = !__builtin_mul_overflow(options_.epochs, steps_per_epoch(), &all);
  require_input(countable || options_.steps > 0, "--epochs {}: expected at most {}, with {} steps in each",
                options_.epochs, std::numeric_limits<std::int64_t>::max() / steps_per_epoch(), steps_per_epoch());
  if (options_.steps == 0) return all;
  return countable ? std::min(options_.steps, all) : options_.steps;
}

void Trainer::step(const Permutation& order, Range positions) {
  const TraceRange trace("step");
  Lap lap;
  const DistMatrix& x = model_.begin_batch(positions.size());
  loader_.load(train_.table(), data_.input(), x, [&](std::int64_t b) { return order(positions.begin + b); });
  lap.add_to(time_.input);

  const double waited = context_.exposed_seconds();
  const double flops_before = context_.flops();
  const auto slot = static_cast<std::int64_t>(pending_.size());
  auto* const sums = reinterpret_cast<StepSums*>(losses_.view().data) + slot;
  const double lr = options_.schedule.at(step_);
  if (slot == 0) clear_losses();
  loader_.loss(train_.table(), options_.loss, model_.forward(), &model_.output_gradient(), &sums->loss);
  model_.backward([&](Range range) { reducer_.add(range); });
  optimizer_.begin_step(lr, &sums->diverged);
  // Without clipping, the optimizer applies a bucket while later buckets are still being summed.
  reducer_.finish([&](Range range) {
    if (!optimizer_.clips()) optimizer_.update(range);
  });
  if (optimizer_.clips()) {
    optimizer_.measure_norm();
    optimizer_.update({0, model_.weights().size});
  }
  ++step_;
  pending_.push_back({.step = step_, .epoch = epoch_, .lr = lr});
  pending_rows_.push_back(positions.size());
  samples_ += positions.size();
  flops_ += context_.flops() - flops_before;
  const double exposed = context_.exposed_seconds() - waited;
  time_.exposed_communication += exposed;
  lap.add_to(time_.compute);
  time_.compute -= exposed;
}

void Trainer::clear_losses() {
  static constexpr std::array<double, kStepSums * kFlushSteps> kZeros{};
  context_.device().copy(context_.compute(), losses_.view(), vector_view(kZeros.data(), kStepSums * kFlushSteps));
}

std::vector<double> Trainer::sum_over_ranks(VectorView values) {
  recombine(context_, {.axis = Axis::i, .data = values, .what = {.name = "sum losses"}});
  std::vector<double> sums(static_cast<std::size_t>(values.size));
  context_.device().copy(context_.compute(), vector_view(sums.data(), values.size), values);
  context_.compute().synchronize();
  return sums;
}

std::vector<StepRecord> Trainer::flush_losses() {
  Lap lap;
  context_.compute().synchronize();
  lap.add_to(time_.compute);
  const std::vector<double> sums =
      sum_over_ranks(losses_.view().range(0, kStepSums * static_cast<std::int64_t>(pending_.size())));
  lap.add_to(time_.exposed_communication);
  for (std::size_t s = 0; s < pending_.size(); ++s) {
    const StepSums& step = reinterpret_cast<const StepSums*>(sums.data())[s];
    pending_[s].train_loss = step.loss.loss_sum / static_cast<double>(pending_rows_[s]);
    pending_[s].finite_weights = step.diverged == 0;
  }
  pending_rows_.clear();
  return std::exchange(pending_, {});
}

void Trainer::require_finite(double loss, std::int64_t step, const char* what) const {
  require_input(std::isfinite(loss),
                "--lr {}: training diverged at step {}: {} is {}; expected a smaller learning rate",
                options_.schedule.lr, step, what, std::isnan(loss) ? "NaN" : "infinite");
}

void Trainer::report(const std::vector<StepRecord>& steps, TrainingListener& listener) {
  Lap lap;
  const auto bad_loss = [](const StepRecord& step) { return !std::isfinite(step.train_loss); };
  const auto bad = std::ranges::find_if(steps, [&](const StepRecord& s) { return bad_loss(s) || !s.finite_weights; });
  // A step's loss is from before its update. If only a weight is NaN or infinite, the loss is finite: report it.
  const auto end = bad != steps.end() && !bad_loss(*bad) ? bad + 1 : bad;
  if (end != steps.begin()) listener.on_steps({steps.begin(), end});
  lap.add_to(time_.other);
  if (bad == steps.end()) return;
  require_finite(bad->train_loss, bad->step, "the loss");
  throw InputError(fmt::format(
      "--lr {}: training diverged at step {}: a weight is NaN or infinite after it; expected a smaller learning rate",
      options_.schedule.lr, bad->step));
}

bool Trainer::run_epoch(std::int64_t epoch, TrainingListener& listener) {
  const TimeSpent before = time_;
  const std::int64_t rows = data_.train().rows();
  const Permutation order(rows, options_.seed, static_cast<std::uint64_t>(epoch));
  EpochRecord record{.epoch = epoch};
  std::int64_t seen = 0;
  epoch_ = epoch;
  const auto flush = [&](std::int64_t last_rows) {
    const std::vector<StepRecord> steps = flush_losses();
    for (const StepRecord& s : steps) {
      const std::int64_t batch = &s == &steps.back() ? last_rows : options_.batch_size;
      record.train_loss += s.train_loss * static_cast<double>(batch);
    }
    report(steps, listener);
  };
  for (std::int64_t begin = 0; begin < rows && step_ < total_steps(); begin += options_.batch_size) {
    const Range positions{begin, std::min(rows, begin + options_.batch_size)};
    step(order, positions);
    seen += positions.size();
    const bool last = positions.end == rows || step_ == total_steps();
    if (last || static_cast<std::int64_t>(pending_.size()) == kFlushSteps) flush(positions.size());
  }
  record.train_loss /= static_cast<double>(seen);
  record.steps = step_;
  record.seconds = time_.training() - before.training();
  record.samples_per_second = static_cast<double>(seen) / record.seconds;
  if (validation_.rows() > 0) record.validation = evaluate(validation_);
  if (test_.rows() > 0) record.test = evaluate(test_);
  for (const std::optional<Score>& score : {record.validation, record.test}) {
    if (score) require_finite(score->loss, step_, "the loss of the rows evaluated after it");
  }
  Lap lap;
  listener.on_epoch(record);
  lap.add_to(time_.other);
  return !record.validation || !out_of_patience(record.validation->loss);
}

void Trainer::run(TrainingListener& listener) {
  for (std::int64_t epoch = 1; epoch <= options_.epochs && step_ < total_steps(); ++epoch) {
    if (!run_epoch(epoch, listener)) break;
  }
}

bool Trainer::out_of_patience(double loss) {
  if (options_.patience == 0) return false;
  epochs_without_better_ = loss < best_loss_ ? 0 : epochs_without_better_ + 1;
  best_loss_ = std::min(best_loss_, loss);
  return epochs_without_better_ >= options_.patience;
}

Score Trainer::evaluate(const DeviceTable& table) {
  Lap lap;
  const Score score = sum_scores(table);
  lap.add_to(time_.evaluation);
  return score;
}

Score Trainer::sum_scores(const DeviceTable& table) {
  static constexpr std::array<double, 2> kZeros{};
  const Buffer scores(context_.device(), DataType::f64, 2);
  context_.device().copy(context_.compute(), scores.view(), vector_view(kZeros.data(), 2));
  const std::int64_t batch = largest_batch(data_, options_);
  for (std::int64_t begin = 0; begin < table.rows(); begin += batch) {
    const DistMatrix& x = model_.begin_batch(std::min(batch, table.rows() - begin));
    loader_.load(table.table(), data_.input(), x, [&](std::int64_t b) { return begin + b; });
    loader_.loss(table.table(), options_.loss, model_.forward(), nullptr,
                 reinterpret_cast<LossSums*>(scores.view().data));
  }
  const std::vector<double> sums = sum_over_ranks(scores.view());
  const auto rows = static_cast<double>(table.rows());
  const double accuracy = data_.classes() > 0 ? sums[1] / rows : std::numeric_limits<double>::quiet_NaN();
  return {sums[0] / rows, accuracy};
}

}  // namespace recombine
