#include "src/nn/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "distributed/session.hpp"
#include "kernels/error.hpp"
#include "kernels/trace_range.hpp"
#include "src/nn/divergence.hpp"
#include "src/nn/lap.hpp"
#include "src/nn/replicas.hpp"
#include "src/nn/training_bytes.hpp"

namespace recombine {

namespace {

constexpr double kLibraryMemory = 512 << 20;  // of a GPU: workspaces and kernels of its libraries

/// True if the host itself waits for arithmetic and communication, so that it can measure them.
bool waits_on_host(const RankContext& context) { return context.device().kind() == DeviceKind::cpu; }

/// Returns `options`. @throws InputError if they do not match the data, or a count is less than 1
const TrainerOptions& checked(const TrainerOptions& options, const SharedData& data) {
  const ModelShape& model = options.model;
  require_input(options.batch_size >= 1 && options.accumulate >= 1 && options.epochs >= 1,
                "batch_size {}, accumulate {}, epochs {}: expected at least 1 of each", options.batch_size,
                options.accumulate, options.epochs);
  require_input(model.inputs == data.inputs() && model.outputs == data.outputs(),
                "a network with {} inputs and {} outputs; expected {} and {}, as the data have", model.inputs,
                model.outputs, data.inputs(), data.outputs());
  require_input((options.loss == LossKind::cross_entropy) == (data.classes() > 0),
                "the loss is {}, and the data have {} classes; expected loss = cross_entropy for classes, else mse",
                options.loss == LossKind::mse ? "mse" : "cross entropy", data.classes());
  return options;
}

}  // namespace

Trainer::Trainer(RankContext& context, const SharedData& data, const TrainerOptions& options)
    : context_(context),
      data_(data),
      options_(checked(options, data)),
      model_(context, options.model, largest_batch(data, options), options.seed),
      loader_(context, largest_batch(data, options)),
      loss_(context, model_, largest_batch(data, options)),
      train_(context, data.train(), table_room()),
      validation_(context, data.validation(), table_room()),
      test_(context, data.test(), table_room()),
      step_(context, {model_, loader_, loss_, train_, data.input()},
            {.loss = options.loss, .batch_size = options.batch_size, .optimizer = options.optimizer}) {
  options_.schedule.steps = total_steps();
  make_stream();
  if (!keeps_best()) return;
  best_ = Buffer(context.device(), DataType::f32, model_.weights().size, MemoryUse::weights);
  context.math().axpby(context.compute(), 0, {}, 0, best_.view());
}

/// Called when the model has its memory, and the optimizer has not.
TableRoom Trainer::table_room() const {
  const MemoryBytes all = training_bytes(context_.mesh(), context_.coord(), options_, largest_batch(data_, options_));
  return {.place = options_.tables, .reserved = all[MemoryUse::moments] + all[MemoryUse::buffers] + kLibraryMemory};
}

void Trainer::make_stream() {
  std::int64_t row_bytes = 0;
  for (const DeviceTable* table : {&train_, &validation_, &test_}) {
    const ConstMatrixView& features = table->table().features;
    if (table->table().streamed) row_bytes = std::max(row_bytes, features.cols * size_of(features.type));
  }
  if (row_bytes == 0) return;
  const bool whole_steps = context_.device().kind() != DeviceKind::cpu;  // see BatchLoader::stage()
  const std::int64_t batches = whole_steps ? ceil_div(batch_rows(), options_.batch_size) : 1;
  loader_.make_stream({.rows = batches * loader_.local_rows(largest_batch(data_, options_)), .row_bytes = row_bytes});
}

std::int64_t Trainer::largest_batch(const SharedData& data, const TrainerOptions& options) {
  const std::int64_t evaluated = std::max({data.test().rows(), data.validation().rows(), options.also_evaluated});
  return std::max(options.batch_size, std::min(evaluated, kEvaluationBatch));
}

std::int64_t Trainer::batch_rows() const {
  std::int64_t rows = 0;
  const bool too_many = __builtin_mul_overflow(options_.batch_size, options_.accumulate, &rows);
  return too_many ? data_.train().rows() : std::min(rows, data_.train().rows());
}

std::int64_t Trainer::total_steps() const {
  std::int64_t all = 0;
  const bool countable = !__builtin_mul_overflow(options_.epochs, steps_per_epoch(), &all);
  require_input(countable || options_.steps > 0, "--epochs {}: expected at most {}, with {} steps in each",
                options_.epochs, std::numeric_limits<std::int64_t>::max() / steps_per_epoch(), steps_per_epoch());
  if (options_.steps == 0) return all;
  return countable ? std::min(options_.steps, all) : options_.steps;
}

void Trainer::prepare() {
  step_.prepare(batch_rows());
  const std::int64_t last = data_.train().rows() % batch_rows();
  if (last > 0) step_.prepare(last);
}

void Trainer::step(const Permutation& order, Range positions) {
  const TraceRange trace("step");
  Lap lap;
  const double waited = context_.exposed_seconds();
  const double flops_before = context_.flops();
  const double input_before = step_.input_seconds();
  StepRecord record{.step = state_.step + 1, .epoch = state_.epoch, .rows = positions.size()};
  record.lr = options_.schedule.at(state_.step);
  if (measures_norm(record.step)) record.gradient_norm = 0;
  if (is_reported(record.step)) record.order_hash = order.hash(positions.begin, positions.end);
  context_.journal().set_step(record.step);
  step_.run({.rows = record.rows, .measures_norm = record.gradient_norm.has_value()},
            {.order = {order, positions.begin}, .rates = OptimizerRates::at(record.step, record.lr)});
  state_.step = record.step;
  state_.samples += record.rows;
  flops_ += context_.flops() - flops_before;
  const double exposed = exposed_since(waited);
  const double input = step_.input_seconds() - input_before;
  time_.exposed_communication += exposed;
  time_.input += input;
  lap.add_to(record.seconds);
  time_.compute += record.seconds - exposed - input;
  if (waits_on_host(context_)) record.exposed_seconds = exposed;
  step_.ring().add(record);
}

void Trainer::flush_losses(TrainingListener& listener) {
  Lap lap;
  context_.compute().synchronize();
  lap.add_to(time_.compute);
  std::vector<StepRecord> steps = step_.ring().flush();
  lap.add_to(waits_on_host(context_) ? time_.exposed_communication : time_.compute);
  if (!waits_on_host(context_)) {  // step() only enqueues, so the host cannot time one step
    const double seconds = (Session::now() - reported_at_) / static_cast<double>(steps.size());
    for (StepRecord& step : steps) step.seconds = seconds;
  }
  for (const StepRecord& step : steps) state_.epoch_loss_sum += step.train_loss * static_cast<double>(step.rows);
  report(steps, listener);
  reported_at_ = Session::now();
}

std::string Trainer::remedy() const {
  const std::string remedy = options_.remedy ? options_.remedy() : "";
  return remedy.empty() ? "a smaller learning rate" : remedy;
}

void Trainer::require_finite(double loss, std::int64_t step, const char* what) const {
  if (std::isfinite(loss)) return;
  throw InputError(fmt::format("--lr {}: training diverged at step {}: {} is {}; expected {}", options_.schedule.lr,
                               step, what, std::isnan(loss) ? "NaN" : "infinite", remedy()));
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
  throw InputError(describe_divergence(context_, model_.layout(), *bad, {options_.schedule.lr, remedy()}));
}

void Trainer::begin_epoch() {
  order_.emplace(data_.train().rows(), options_.seed, static_cast<std::uint64_t>(state_.epoch));
  time_before_epoch_ = time_;
  position_before_epoch_ = state_.position;
}

bool Trainer::is_over() const {
  const bool between_epochs = state_.position == 0;
  const bool all_done = state_.epoch > options_.epochs || state_.step >= total_steps();
  const bool impatient = options_.patience > 0 && state_.epochs_without_better >= options_.patience;
  return cut_ || (between_epochs && (all_done || impatient));
}

void Trainer::next(TrainingListener& listener) {
  const Range positions{state_.position, std::min(data_.train().rows(), state_.position + batch_rows())};
  step(*order_, positions);
  state_.position = positions.end;
  if (!has_step() || step_.ring().full()) flush_losses(listener);
  const bool every_nth = options_.check_replicas > 0 && state_.step % options_.check_replicas == 0;
  if (!has_step() || every_nth) compare_replicas();
}

double Trainer::exposed_since(double waited) const {
  return waits_on_host(context_) ? context_.exposed_seconds() - waited : 0;
}

std::vector<std::uint64_t> Trainer::compare_replicas() {
  Lap lap;
  const double waited = context_.exposed_seconds();
  std::vector<std::uint64_t> fingerprints = recombine::compare_replicas(context_, tensors(), state_.step);
  const double exposed = exposed_since(waited);
  time_.exposed_communication += exposed;
  time_.compute -= exposed;
  lap.add_to(time_.compute);
  return fingerprints;
}

bool Trainer::end_epoch(TrainingListener& listener, TrainingControl& control) {
  EpochRecord record{.epoch = state_.epoch, .steps = state_.step};
  record.train_loss = state_.epoch_loss_sum / static_cast<double>(state_.position);
  record.seconds = time_.training() - time_before_epoch_.training();
  const std::int64_t rows = state_.position - position_before_epoch_;  // 0: resumed after the last step of the epoch
  if (rows > 0) record.samples_per_second = static_cast<double>(rows) / record.seconds;
  for (const auto& [table, score] : {std::pair(&validation_, &record.validation), std::pair(&test_, &record.test)}) {
    if (table->rows() == 0) continue;
    *score = evaluate(*table, control);
    if (!*score) return false;
    require_finite((*score)->loss, state_.step, "the loss of the rows evaluated after it");
  }
  if (record.validation) count_validation(record.validation->loss);
  Lap lap;
  listener.on_epoch(record);
  lap.add_to(time_.other);
  reported_at_ = Session::now();
  if (state_.position < data_.train().rows()) {  // a run resumed with more --steps may continue in this epoch
    cut_ = true;
    return true;
  }
  ++state_.epoch;
  state_.position = 0;
  state_.epoch_loss_sum = 0;
  order_.reset();
  return true;
}

Trainer::End Trainer::run(TrainingListener& listener, TrainingControl& control) {
  using Wish = TrainingControl::Wish;
  reported_at_ = Session::now();
  while (!is_over()) {
    if (!order_) begin_epoch();
    if (has_step()) {
      next(listener);
      const Wish wish = control.after_step(state_);
      if (wish != Wish::go_on) {
        if (!step_.ring().empty()) flush_losses(listener);
        control.save(state_);
      }
      if (wish == Wish::stop) return End::stopped;
      if (has_step()) continue;
    }
    if (!end_epoch(listener, control)) {
      control.save(state_);
      return End::stopped;
    }
  }
  control.save(state_);
  return End::finished;
}

void Trainer::count_validation(double loss) {
  const bool better = loss < state_.best_loss;
  if (better) {
    state_.best_loss = loss;
    state_.best_epoch = state_.epoch;
    if (keeps_best()) context_.device().copy(context_.compute(), best_.view(), model_.weights());
  }
  // A run resumed with more --steps may continue in an epoch that was cut short.
  if (state_.position == data_.train().rows())
    state_.epochs_without_better = better ? 0 : state_.epochs_without_better + 1;
}

TrainedTensors Trainer::tensors() const {
  TrainedTensors all = step_.optimizer().tensors();
  all.best = best_.view();
  return all;
}

void Trainer::use_best() {
  context_.device().copy(context_.compute(), model_.weights(), best_.view());
  model_.round_weights();
}

}  // namespace recombine
