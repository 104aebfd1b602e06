#include "src/train/explain/explain.hpp"

#include <algorithm>
#include <optional>

#include <fmt/ranges.h>

#include "distributed/comparison.hpp"
#include "src/data/shown.hpp"
#include "src/explain/recorder.hpp"
#include "src/report/standard_output.hpp"
#include "src/report/text_style.hpp"
#include "src/train/explain/check_step.hpp"
#include "src/train/explain/matrix_text.hpp"
#include "src/train/explain/rank_story.hpp"
#include "src/train/explain/recombined_text.hpp"
#include "src/train/explain/scalar_text.hpp"
#include "src/train/explain/written.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kLargest = 5;  // rows of a batch, inputs and outputs of a layer
constexpr std::size_t kMostHidden = 2;

std::string plural(std::int64_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

/// Prints each step after it is trained.
class StepPrinter final : public TrainingListener, public TrainingControl {
 public:
  StepPrinter(const ExplainedRun& run, Trainer& trainer)
      : run_(run),
        trainer_(trainer),
        steps_(std::min(run.command.explained_steps, trainer.total_steps())),
        style_(TextStyle::of_output()),
        collector_(run.context, run.all, trainer, run.data, run.options) {
    recorder_.emplace(run.context);
  }

  void on_steps(const std::vector<StepRecord>& steps) override { record_ = steps.back(); }
  /// A checkpoint after every step: the trainer reads the loss, and calls save().
  Wish after_step(const TrainState& state) override { return state.step < steps_ ? Wish::checkpoint : Wish::stop; }
  void save(const TrainState& state) override {
    if (state.step == shown_) return;  // at the end of the run, too
    shown_ = state.step;
    const std::vector<RecordedStep> done = recorder_->finish();
    recorder_.reset();
    const std::string story = rank_story(run_.context, trainer_.model(), done);
    const StepNumbers numbers = collector_.collect(record_);
    const std::int64_t equal = require_equal_scalars(numbers);
    const std::vector<std::string> stories = from_every_rank(run_.session, story);
    const std::vector<std::string> terms = from_every_rank(run_.session, terms_text(run_.context, done));
    if (run_.session.rank() == 0) {
      print_numbers(rounded(numbers), equal);
      print_owners(stories);
      if (stories.size() > 1) print_sums(recombined_text(numbers, terms));
    }
    recorder_.emplace(run_.context);
  }

 private:
  void print_numbers(const StepNumbers& step, std::int64_t equal) const {
    if (step.record.step == 1) print("{}", conventions(step));
    std::vector<std::int64_t> rows = step.rows;
    for (std::int64_t& row : rows) ++row;
    print("\n{}\n", style_.heading(fmt::format("Step {}: row{} {} of {}, learning rate {}", step.record.step,
                                               rows.size() == 1 ? "" : "s", fmt::join(rows, ", "),
                                               run_.data.train().rows(), number_text(step.record.lr))));
    print("{}", fitted(scalar_text(step) + matrix_text(step)));
    print("{}\n", style_.result(fmt::format(
                      "  Equal: all {} numbers of the matrices, computed as sums of scalars, too.", equal)));
  }

  void print_owners(const std::vector<std::string>& stories) const {
    const Mesh& mesh = run_.context.mesh();
    print("{}\n", style_.heading(fmt::format("  Who computed what: {}, mesh {} (i x j x k)",
                                             plural(mesh.size(), "rank"), mesh.to_string())));
    if (mesh.size() == 1) {
      print(
          "    rank 0 holds the whole matrices, and computes all products above; with two\n"
          "    ranks, --mesh 2x1x1 cuts the rows of X, and --mesh 1x1x2 cuts X and W\n");
      return;
    }
    if (shown_ == 1) {
      print(
          "    X: {} x {} blocks (i x k), W: {} x {} (j x k{}). X12 is in row 1,\n"
          "    column 2 of the blocks. Each rank holds the blocks at its place in the mesh.\n",
          mesh.extent(Axis::i), mesh.extent(Axis::k), mesh.extent(Axis::j), mesh.extent(Axis::k),
          run_.options.model.layers() == 1 ? "" : ", layer 2: k x j");
    }
    for (const std::string& story : stories) print("{}", fitted(story));
  }

  static void print_sums(const std::string& text) {
    print("{}    Brought together, the blocks are the matrices above.\n", fitted(text));
  }

  const ExplainedRun& run_;
  Trainer& trainer_;
  std::int64_t steps_;
  std::int64_t shown_ = 0;
  TextStyle style_;
  StepCollector collector_;
  std::optional<Recorder> recorder_;
  StepRecord record_;
};

/// True if the network sees other numbers than the file has.
bool is_scaled(const TableSchema& schema) {
  const auto scaled = [](const auto& column) { return column.mean != 0 || column.deviation != 1; };
  return std::ranges::any_of(schema.inputs, scaled) || std::ranges::any_of(schema.targets, scaled);
}

std::string introduction(const ExplainedRun& run) {
  const ModelShape& model = run.options.model;
  std::string text =
      fmt::format("network {} with {} on {}, loss {}\n", model.to_string(), plural(model.parameters(), "weight"),
                  run.data.name(), run.options.loss == LossKind::mse ? "mse" : "cross-entropy");
  const auto names = [](const auto& columns) {
    std::vector<std::string> all;
    for (const auto& column : columns) all.push_back(as_option({column.name}));
    return fmt::format("{}", fmt::join(all, ", "));
  };
  if (!run.schema.inputs.empty()) {
    text += fmt::format("inputs {}; target {}\n", names(run.schema.inputs), names(run.schema.targets));
  }
  if (is_scaled(run.schema)) {
    text += "their values are (value - mean) / deviation; --no-standardize takes those of the file\n";
  }
  return text;
}

}  // namespace

void require_explainable(const TrainerOptions& options) {
  const ModelShape& model = options.model;
  require_input(
      model.inputs <= kLargest,
      "--explain: the data have {} inputs; expected at most {}, so that all numbers fit the screen (--features "
      "chooses columns)",
      model.inputs, kLargest);
  require_input(model.outputs <= kLargest, "--explain: the data have {} outputs; expected at most {}", model.outputs,
                kLargest);
  const bool narrow = std::ranges::all_of(model.hidden, [](std::int64_t width) { return width <= kLargest; });
  require_input(
      narrow && model.hidden.size() <= kMostHidden,
      "--hidden {}: expected at most {} layers of at most {} with --explain, such as --hidden 3 or --hidden \"\"",
      fmt::join(model.hidden, ","), kMostHidden, kLargest);
  require_input(options.batch_size <= kLargest,
                "--batch-size {}: expected at most {} rows with --explain, such as --batch-size 2", options.batch_size,
                kLargest);
}

void explain_training(const ExplainedRun& run, Trainer& trainer) {
  if (run.session.rank() == 0) print("{}", fitted(introduction(run)));
  StepPrinter printer(run, trainer);
  trainer.run(printer, printer);
  if (run.session.rank() != 0) return;
  print("\nNothing is saved. The same command without --explain trains to the end.\n");
}

}  // namespace recombine
