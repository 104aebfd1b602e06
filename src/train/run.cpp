#include "src/train/run.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/error.hpp"
#include "src/report/answer_names.hpp"
#include "src/report/standard_output.hpp"
#include "src/train/checkpointing.hpp"
#include "src/train/collect_result.hpp"
#include "src/train/compare_batching.hpp"
#include "src/train/divergence_remedy.hpp"
#include "src/train/explain/explain.hpp"
#include "src/train/saved_model.hpp"
#include "src/train/training_run.hpp"
#include "src/train/write_model.hpp"

namespace recombine {

/// What a checkpoint says about its network: the same on every rank, as each rank makes the file's header.
Metadata TrainingRun::model_metadata() {
  std::vector<std::string> lines;  // each key, then its value: JSON without line ends
  on_root(*world_, *stream_, [&] {
    for (const auto& [key, value] : metadata_of(options_.model, read_.schema()))
      lines.insert(lines.end(), {key, value});
  });
  lines = share_lines(session_, lines);
  Metadata metadata;
  for (std::size_t n = 0; n + 1 < lines.size(); n += 2) metadata.push_back({lines[n], lines[n + 1]});
  return metadata;
}

Trainer::End TrainingRun::train_with_checkpoints(Trainer& trainer) {
  CheckpointInfo info{.seed = command_.seed, .model = model_metadata(), .options = facts_};
  if (!command_.weight_decay) info.options.push_back(weight_decay_fact(options_));
  info.options.push_back(schedule_fact(trainer));
  Checkpointing checkpoints(checkpoint_parts(), trainer, command_.checkpoints, stop_, std::move(info));
  if (resumed_ && command_.checkpoints.resumes_newest()) checkpoints.set_saved(resumed_->state);
  const Trainer::End end = trainer.run(listeners_, checkpoints);
  checkpoints.finish();
  checkpoints_ = checkpoints.result();
  return end;
}

void TrainingRun::print_stop(const Trainer& trainer) {
  const std::vector<std::string> reasons = from_every_rank(session_, stop_.reason().value_or(""));
  const auto first = std::ranges::find_if(reasons, [](const std::string& reason) { return !reason.empty(); });
  if (session_.rank() != 0 || command_.quiet) return;
  print("stopped after step {} by {} (rank {}): --resume auto continues from {}\n", trainer.state().step,
        first != reasons.end() ? *first : "a request", first - reasons.begin(), folder_->path_of(trainer.state().step));
}

std::optional<RunResult> TrainingRun::train(Trainer& trainer) {
  const bool over = trainer.is_over();  // true if the resumed run was already finished
  if (command_.checkpoints.enabled()) {
    if (train_with_checkpoints(trainer) == Trainer::End::stopped) return std::nullopt;
  } else {
    trainer.run(listeners_);
  }
  const std::int64_t best = best_epoch(trainer);
  if (best > 0) trainer.use_best();
  if (over) {
    const Scores scores = trainer.evaluate_all();
    listeners_.last = {.epoch = trainer.state().epoch - 1,
                       .train_loss = scores.train.loss,
                       .validation = scores.validation,
                       .test = scores.test};
  } else if (best > 0 && best != listeners_.last.epoch) {
    listeners_.last.validation = trainer.evaluate(trainer.validation_table());
    if (data_.test().rows() > 0) listeners_.last.test = trainer.evaluate(trainer.test_table());
  }
  RunResult result = collect_result(context_, trainer, listeners_.last, *world_, *stream_);
  require(result.steps > 0, "no training step was done: the weights are untrained and are not saved");
  result.checkpoints = checkpoints_;
  result.best_epoch = best;
  if (resumed_) {
    result.samples -= resumed_->state.samples;
    result.resumed_step = resumed_->state.step;
  }
  return result;
}

std::int64_t TrainingRun::best_epoch(const Trainer& trainer) const {
  if (!trainer.keeps_best()) return 0;
  return command_.evaluate ? resumed_->state.best_epoch : trainer.state().best_epoch;
}

RunResult TrainingRun::evaluate(Trainer& trainer) {
  const std::int64_t best = best_epoch(trainer);
  if (best > 0) trainer.use_best();
  EpochRecord all{.train_loss = std::numeric_limits<double>::quiet_NaN()};
  std::optional<Score> train;
  if (read_.answers() == Answers::present) {
    const Scores scores = trainer.evaluate_all();
    for (const std::optional<Score>& score : {std::optional(scores.train), scores.validation, scores.test}) {
      require_input(!score || std::isfinite(score->loss),
                    "{}: the loss with these weights is {}; expected a finite loss",
                    resumed_ ? "--resume " + resumed_->path : "--load " + command_.load,
                    std::isnan(score->loss) ? "NaN" : "infinite");
    }
    all = {.train_loss = scores.train.loss, .validation = scores.validation, .test = scores.test};
    train = scores.train;
  }
  RunResult result = collect_result(context_, trainer, all, *world_, *stream_);
  result.train = train;
  result.best_epoch = best;
  return result;
}

FinalQuestions TrainingRun::final_questions() {
  OutputFile* const file = outputs_ && outputs_->predictions ? &*outputs_->predictions : nullptr;
  // Data without test rows that are only evaluated: their rows are what the user asks about.
  const bool scores_training = command_.evaluate && data_.test().rows() == 0;
  return {data_, read_.schema(), read_.answers(), scores_training, command_.predictions, file, &read_.predicted_rows()};
}

void TrainingRun::finish_result(Trainer& trainer, RunResult& result) {
  result.bytes = largest_bytes(counted_bytes(), *world_, *stream_);
  result.predicted_bytes = largest_bytes(predicted_, *world_, *stream_);
  const std::vector<std::uint64_t> fingerprints = trainer.compare_replicas();
  const auto others = fingerprints.begin() + std::ssize(trainer.model().layout().tensors());
  result.weights_fingerprint = std::accumulate(fingerprints.begin(), others, std::uint64_t{0});
  agree(*world_, *stream_, [&] {
    OutputFile* const save = outputs_ && outputs_->save ? &*outputs_->save : nullptr;
    result.weights_sha256 = write_model(context_, *all_, trainer.model(), read_.schema(), command_.save, save);
  });
  agree(*world_, *stream_, [&] {
    const FinalScores scores = final_pass(context_, *all_, trainer, final_questions());
    result.train_scores = scores.train;
    result.validation_scores = scores.validation;
    result.test_scores = scores.test;
  });
  scale_losses(result, listeners_.loss_unit);
}

int TrainingRun::run() {
  require_init(command_, options_.model);
  if (command_.explained_steps > 0) require_explainable(options_);
  open_outputs();
  options_.remedy = [this] { return session_.rank() == 0 ? divergence_remedy(data_, read_.schema()) : ""; };
  Trainer trainer(context_, data_, options_);
  restore(trainer);
  if (command_.explained_steps > 0) {
    explain_training({session_, command_, options_, data_, read_.schema(), context_, *all_}, trainer);
    return kExitSuccess;
  }
  on_root(*world_, *stream_, [&] {
    if (outputs_->save) reserve_model(*outputs_->save, command_.save, trainer.model(), read_.schema());
    if (outputs_->predictions) reserve_predictions(final_questions());
  });
  const RunDescription run = describe(trainer);
  std::optional<Console> console;
  if (session_.rank() == 0 && !command_.quiet) listeners_.targets.push_back(&console.emplace(run));
  if (outputs_) listeners_.targets.push_back(&*outputs_);
  listeners_.loss_unit = loss_unit(read_.schema());

  if (!command_.evaluate) trainer.prepare();
  device().memory_count().reset_peak();
  const double start = Session::now();
  std::optional<RunResult> done = command_.evaluate ? evaluate(trainer) : train(trainer);
  if (!done) {
    print_stop(trainer);
    return kExitStopped;
  }
  RunResult& result = *done;
  result.seconds = Session::now() - start;
  finish_result(trainer, result);
  on_root(*world_, *stream_, [&] {
    if (console) console->finish(result);
    if (outputs_->save) outputs_->save->commit();
    if (outputs_->predictions) outputs_->predictions->commit();
    if (outputs_->summary) write_summary(*outputs_->summary, run, result);
  });
  return kExitSuccess;
}

int run_training(Session& session, const TrainCommand& command, const StopRequest& stop) {
  const Mesh mesh = command.mesh.value_or(Mesh(session.size(), 1, 1));
  check_command(session, command, mesh);
  if (!command.quiet) warn_if_bound(session, "train");
  if (command.batching.enabled) return compare_batching(session, command, mesh);
  return TrainingRun(session, command, stop, mesh).run();
}

}  // namespace recombine
