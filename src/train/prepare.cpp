#include "src/train/prepare.hpp"

#include <algorithm>
#include <iterator>
#include <new>

#include "distributed/io/output_file.hpp"
#include "kernels/error.hpp"
#include "src/program/same_files.hpp"

namespace recombine {

namespace {

std::vector<NamedFile> inputs_of(const TrainCommand& command) {
  std::vector<NamedFile> inputs = {{"config", command.config},
                                   {"validation", command.data.validation},
                                   {"test", command.data.test},
                                   {"target-data", command.data.target_data}};
  for (const std::string& path : files_of(command.data)) inputs.push_back({"data", path});
  return inputs;
}

KeptWeights kept_weights(const TrainCommand& command, const std::optional<SavedNetwork>& saved) {
  const bool from_file = command.evaluate && saved && saved->has_best && command.load.empty();
  return command.evaluate && !from_file ? KeptWeights::last
                                        : command.kept.value_or(from_file ? KeptWeights::best : KeptWeights::last);
}

}  // namespace

namespace {

/// Refuses data without the columns that the model needs.
void require_fit(const TrainCommand& command, const TableSchema& schema) {
  const bool has_names = !schema.inputs.empty() && schema.unnamed_inputs == 0 && schema.inputs.front().name != "1";
  require_input(!has_names || command.data.data != DataOptions().data,
                "--data {}: the saved model expects a table with its columns ({} ...); expected --data FILE",
                command.data.data, schema.inputs.empty() ? "" : schema.inputs.front().name);
}

}  // namespace

DataSet load_tables(const Session& session, const TrainCommand& command, const RankMemory& memory,
                    const std::optional<SavedNetwork>& saved) {
  DataSet set;
  DataOptions options = command.data;
  if (saved && (command.evaluate || !command.load.empty())) options.schema = saved->model.schema;
  if (options.schema) require_fit(command, *options.schema);
  if (command.evaluate && !command.predictions.empty()) options.purpose = Purpose::predictions;
  options.memory = {.host_bytes = memory.bytes * session.local_size(),
                    .growth = command.memory_limit ? Growth::any : Growth::thousandfold};
  if (!memory.limit.empty()) {
    const int ranks = session.local_size();
    options.memory.limit = ranks == 1 ? memory.limit : fmt::format("{} for each of its {} ranks", memory.limit, ranks);
  }
  try {
    set = load_data(options);
  } catch (const std::bad_alloc&) {
    throw InputError(fmt::format("--data {}: does not fit this host's memory; expected fewer rows", command.data.data));
  }
  for (const std::string& option : command.preparation) {
    if (options.schema)
      set.notes.push_back(fmt::format("--{}: not used: the saved model reads its data as before", option));
  }
  using Loss = TrainCommand::Loss;
  require_input(command.loss != Loss::cross_entropy || set.data.classes > 0,
                "--loss cross-entropy: {} has no classes; expected auto or mse", set.data.name);
  require_input(command.loss != Loss::mse || set.data.classes == 0,
                "--loss mse: {} has class labels; expected auto or cross-entropy", set.data.name);
  return set;
}

ChosenOptions choose_options(const TrainCommand& command, const SharedData& data, DataFacts::Kind kind,
                             const std::optional<SavedNetwork>& saved) {
  const std::int64_t rows = data.train().rows();
  GivenOptions given{.hidden = command.hidden,
                     .batch_size = command.batch_size,
                     .accumulate = command.accumulate,
                     .epochs = command.epochs,
                     .steps = command.steps,
                     .optimizer = command.optimizer.kind,
                     .lr = command.lr,
                     .warmup = command.warmup,
                     .weight_decay = command.weight_decay};
  if (saved && !given.hidden) given.hidden = saved->model.hidden;
  // Rows are then predicted in the batches in which a training run predicts its test rows: with the same rounding.
  if (command.evaluate && !given.batch_size) given.batch_size = Trainer::kEvaluationBatch;
  const DataFacts facts{.kind = kind, .rows = rows};
  const DataDefaults defaults = defaults_for(facts, given);
  OptimizerOptions optimizer = command.optimizer;
  optimizer.weight_decay = defaults.weight_decay;
  ChosenOptions chosen;
  if (defaults_depend_on_rows(facts)) chosen.defaults = options_not_given(defaults, given);
  TrainerOptions& options = chosen.trainer;
  options = {.model = {.inputs = data.inputs(),
                       .hidden = defaults.hidden,
                       .outputs = data.outputs(),
                       .activation = command.activation.value_or(
                           saved ? saved->model.activation.value_or(Activation::relu) : Activation::relu),
                       .bias = command.bias.value_or(saved ? saved->model.bias : Bias::per_output),
                       .product_type = command.product_type},
             .loss = data.classes() > 0 ? LossKind::cross_entropy : LossKind::mse,
             .batch_size = std::min(defaults.batch_size, rows),
             .accumulate = command.accumulate,
             .epochs = defaults.epochs,
             .steps = command.steps,
             .patience = command.patience,
             .kept = kept_weights(command, saved),
             .norm_every = command.metrics.empty() ? 0 : command.metrics_every,
             .check_replicas = command.check_replicas,
             .seed = command.seed,
             .optimizer = command.evaluate ? OptimizerOptions{.kind = OptimizerKind::sgd} : optimizer,
             .schedule = {.kind = command.schedule, .lr = defaults.lr, .warmup = defaults.warmup}};
  return chosen;
}

void require_init(const TrainCommand& command, const ModelShape& model) {
  const auto count = std::ssize(command.init);
  require_input(count == 0 || count == model.parameters(), "--init: has {} number{}; expected {}, the weights{} of {}",
                count, count == 1 ? "" : "s", model.parameters(), model.bias == Bias::none ? "" : " and biases",
                model.to_string());
}

void check_command(Session& session, const TrainCommand& command, const Mesh& mesh) {
  const std::string resumed_file = command.checkpoints.resumes_newest() ? "" : command.checkpoints.resume;
  agree(session, [&] {
    require_input(mesh.size() == session.size(), "--mesh {}: has {} ranks; expected {}, as the job has",
                  mesh.to_string(), mesh.size(), session.size());
    require_input(command.data.data != "-" || session.local_size() == session.size(),
                  "--data -: the job runs on several hosts, and standard input reaches only the first; expected a file "
                  "that all hosts can read");
    const std::vector<NamedFile> reports = {{"predictions", command.predictions},
                                            {"summary", command.summary},
                                            {"metrics", command.metrics},
                                            {"plot", command.batching.plot}};
    std::vector<NamedFile> outputs = {{"save", command.save}};
    std::ranges::copy(reports, std::back_inserter(outputs));
    std::vector<NamedFile> inputs = inputs_of(command);
    inputs.push_back({"resume", resumed_file});
    require_apart(outputs, inputs);
    require_apart(reports, {{"load", command.load}});  // --save may replace this file
  });
  require_same_files(session, {{"load", command.load}, {"resume", resumed_file}}, Compared::places);
}

}  // namespace recombine
