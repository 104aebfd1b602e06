#include <cmath>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "src/report/answer_names.hpp"
#include "src/report/train_report.hpp"

namespace recombine {

using nlohmann::ordered_json;

namespace {

ordered_json or_null(const std::optional<double>& value) { return value ? ordered_json(*value) : ordered_json(); }

std::int64_t bytes_sent_per_rank(const RunResult& result) {
  double bytes = 0;
  for (const auto& [name, totals] : result.collectives) bytes += totals.bytes_sent;
  return std::llround(bytes);
}

ordered_json by_use(const MemoryBytes& bytes) {
  ordered_json all = ordered_json::object();
  for (const MemoryUse use : kMemoryUses) all[std::string(name_of(use))] = std::llround(bytes[use]);
  return all;
}

ordered_json to_json(const std::optional<SlowestRank>& slowest) {
  if (!slowest) return {};
  return {{"rank", slowest->rank},
          {"seconds", slowest->seconds},
          {"mean_seconds", slowest->mean_seconds},
          {"part", slowest->part}};
}

ordered_json to_json(const std::optional<CheckpointResult>& checkpoints) {
  if (!checkpoints) return {};
  return {{"count", checkpoints->count},
          {"pause_seconds", checkpoints->pause_seconds},
          {"waits", checkpoints->waits},
          {"waited_seconds", checkpoints->waited_seconds}};
}

ordered_json classes_of(const TableScores& scores, const std::vector<std::string>& names) {
  ordered_json all = ordered_json::array();
  for (std::size_t c = 0; c < scores.classes.size(); ++c) {
    const ClassScore& one = scores.classes[c];
    all.push_back({{"name", names[c]},
                   {"rows", one.rows},
                   {"precision", or_null(one.precision())},
                   {"recall", or_null(one.recall())}});
  }
  return all;
}

ordered_json targets_of(const TableScores& scores, const std::vector<std::string>& names) {
  ordered_json all = ordered_json::array();
  for (std::size_t n = 0; n < scores.targets.size(); ++n) {
    all.push_back({{"name", names[n]}, {"r2", or_null(scores.targets[n].r2)}, {"rmse", scores.targets[n].rms_error}});
  }
  return all;
}

/// The scores of the test or the validation rows.
ordered_json to_json(const RunDescription& run, const std::optional<Score>& score,
                     const std::optional<TableScores>& scores) {
  if (!score || !scores) return {};
  if (scores->targets.empty()) {
    const std::vector<std::string> names = class_names(run.schema, std::ssize(scores->classes));
    return {{"rows", scores->rows},
            {"loss", score->loss},
            {"accuracy", scores->accuracy()},
            {"macro_precision", scores->macro_precision()},
            {"macro_recall", scores->macro_recall()},
            {"classes", classes_of(*scores, names)},
            {"confusion", scores->confusion.empty() ? ordered_json() : ordered_json(scores->confusion)}};
  }
  const bool single = scores->targets.size() == 1;
  return {{"rows", scores->rows},
          {"loss", score->loss},
          {"r2", or_null(scores->r2())},
          {"rmse", single ? ordered_json(scores->targets.front().rms_error) : ordered_json()},
          {"targets", targets_of(*scores, target_names(run.schema, std::ssize(scores->targets)))}};
}

/// Seconds are null if the device does not tell when a collective begins and ends.
ordered_json collectives_by_name(const RunResult& result) {
  ordered_json all = ordered_json::object();
  for (const auto& [name, totals] : result.collectives) {
    const bool timed = totals.timed_calls == totals.calls;
    all[name] = {{"calls", totals.calls},
                 {"bytes", totals.bytes},
                 {"bytes_sent", std::llround(totals.bytes_sent)},
                 {"seconds", timed ? ordered_json(totals.seconds) : ordered_json()}};
  }
  return all;
}

}  // namespace

void MetricsFile::on_steps(const std::vector<StepRecord>& steps) {
  for (const StepRecord& step : steps) {
    if (step.step % every_ != 0) continue;
    const auto milliseconds = [](double seconds) { return std::round(1e6 * seconds) / 1e3; };  // to a microsecond
    const ordered_json line{
        {"step", step.step},
        {"epoch", step.epoch},
        {"train_loss", step.train_loss},
        {"lr", step.lr},
        {"gradient_norm", or_null(step.gradient_norm)},
        {"order_hash", step.order_hash ? ordered_json(fmt::format("{:016x}", *step.order_hash)) : ordered_json()},
        {"step_ms", milliseconds(step.seconds)},
        {"exposed_ms", step.exposed_seconds ? ordered_json(milliseconds(*step.exposed_seconds)) : ordered_json()}};
    file_.write(line.dump() + "\n");
  }
  flush();
}

void MetricsFile::keep_until(const TrainState& state) {
  std::ifstream older(path_);
  for (std::string line; std::getline(older, line);) {
    const auto record = nlohmann::json::parse(line, nullptr, false);
    // A line that is not a JSON object was cut short when the older run ended, so it is the last line.
    if (!record.is_object()) break;
    const bool is_step = record.contains("step");
    const auto found = record.find(is_step ? "step" : "epoch");
    if (found == record.end() || !found->is_number_integer()) break;  // not a line of --metrics
    const auto number = found->get<std::int64_t>();
    if (is_step ? number <= state.step : number < state.epoch) file_.write(line + "\n");
  }
}

void MetricsFile::flush() {
  file_.require_there();
  file_.flush();
  if (!std::exchange(published_, true)) file_.publish();
}

void MetricsFile::on_epoch(const EpochRecord& epoch) {
  ordered_json line{{"epoch", epoch.epoch}, {"steps_done", epoch.steps}, {"epoch_train_loss", epoch.train_loss}};
  if (epoch.validation) {
    line["validation_loss"] = epoch.validation->loss;
    line["validation_accuracy"] = epoch.validation->accuracy;
  }
  if (epoch.test) {
    line["test_loss"] = epoch.test->loss;
    line["test_accuracy"] = epoch.test->accuracy;
  }
  line["seconds"] = epoch.seconds;
  line["samples_per_second"] = epoch.samples_per_second;
  file_.write(line.dump() + "\n");
  flush();
}

void write_summary(OutputFile& file, const RunDescription& run, const RunResult& result) {
  const auto score_or_null = [](const std::optional<Score>& score, double Score::*member) {
    return score ? ordered_json((*score).*member) : ordered_json();
  };
  const bool known = run.peak.gflops > 0;
  ordered_json summary{
      {"np", run.np},
      {"mesh", run.mesh.to_string()},
      {"device", run.device},
      {"threads", run.threads},
      {"precision", run.precision},
      {"collectives", run.collectives},
      {"data", run.data},
      {"model", run.model},
      {"parameters", run.parameters},
      {"load", run.loaded.empty() ? ordered_json() : ordered_json(run.loaded)},
      {"init", run.init.empty() ? ordered_json() : ordered_json(run.init)},
      {"batch_size", run.batch_size},
      {"accumulate", run.accumulate},
      {"resumed_step", run.resumed.empty() ? ordered_json() : ordered_json(run.resumed_step)},
      {"epochs", result.epochs},
      {"steps", result.steps},
      {"samples", result.samples},
      {"seconds", result.seconds},
      {"samples_per_second", result.samples_per_second()},
      {"gflops", result.gflops()},
      {"peak_gflops", known ? ordered_json(run.peak.gflops) : ordered_json()},
      {"peak_burst_gflops", known ? ordered_json(run.peak.burst_gflops) : ordered_json()},
      {"mfu", known ? ordered_json(result.gflops() / run.peak.gflops) : ordered_json()},
      {"compute_seconds", result.time.compute},
      {"exposed_communication_seconds",
       run.waits == Waits::on_device ? ordered_json() : ordered_json(result.time.exposed_communication)},
      {"input_seconds", result.time.input},
      {"evaluation_seconds", result.time.evaluation},
      {"other_seconds", result.time.other},
      {"checkpoints", to_json(result.checkpoints)},
      {"bytes_sent_per_rank", bytes_sent_per_rank(result)},
      {"slowest_rank", to_json(result.slowest)},
      {"bytes_by_kind", by_use(result.bytes)},
      {"predicted_bytes_by_kind", by_use(result.predicted_bytes)},
      {"train_loss", result.train_loss},
      {"validation_loss", score_or_null(result.validation, &Score::loss)},
      {"validation_accuracy", score_or_null(result.validation, &Score::accuracy)},
      {"test_loss", score_or_null(result.test, &Score::loss)},
      {"test_accuracy", score_or_null(result.test, &Score::accuracy)},
      {"best_epoch", result.best_epoch > 0 ? ordered_json(result.best_epoch) : ordered_json()},
      {"train", to_json(run, result.train, result.train_scores)},
      {"validation", to_json(run, result.validation, result.validation_scores)},
      {"test", to_json(run, result.test, result.test_scores)},
      {"weights_sha256", result.weights_sha256},
      {"weights_fingerprint", fmt::format("{:016x}", result.weights_fingerprint)},
      {"collectives_by_name", collectives_by_name(result)}};
  summary.update(to_json(run.provenance));
  file.write(summary.dump(2) + "\n");
  file.commit();
}

}  // namespace recombine
