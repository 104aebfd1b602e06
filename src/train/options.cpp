#include "src/train/options.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include "src/program/compared_options.hpp"
#include "src/program/device_options.hpp"
#include "src/train/data_command.hpp"
#include "src/train/explain/explain_command.hpp"
#include "src/train/option_groups.hpp"

namespace recombine {

namespace {

constexpr std::array<std::pair<std::string_view, Activation>, 5> kActivations = {{{"relu", Activation::relu},
                                                                                  {"gelu", Activation::gelu},
                                                                                  {"tanh", Activation::tanh},
                                                                                  {"sigmoid", Activation::sigmoid},
                                                                                  {"identity", Activation::identity}}};

void read_model(const OptionReader& reader, TrainCommand& command) {
  using Loss = TrainCommand::Loss;
  if (reader.has("hidden")) command.hidden = parse_widths("hidden", reader.string("hidden"));
  if (reader.has("activation")) {
    const auto& [relu, gelu, tanh, sigmoid, identity] = kActivations;
    command.activation = reader.word<Activation>("activation", {relu, gelu, tanh, sigmoid, identity});
  }
  if (reader.flag("no-bias")) command.bias = Bias::none;
  command.loss = reader.word<Loss>(
      "loss", {{"auto", Loss::automatic}, {"mse", Loss::mse}, {"cross-entropy", Loss::cross_entropy}});
}

std::int64_t parse_batch_size(const std::string& text) {
  static constexpr std::int64_t kLargest = std::int64_t{1} << 40;
  if (text == "all") return TrainCommand::kAllRows;
  try {
    return parse_whole("batch-size", text, {1, kLargest});
  } catch (const InputError&) {
    throw InputError(fmt::format("--batch-size '{}': expected a whole number from 1 to 2^40, or all", text));
  }
}

/// Which weights a run ends with. @throws InputError
std::optional<KeptWeights> read_kept(const OptionReader& reader) {
  const bool best = reader.flag("keep-best"), last = reader.flag("keep-last");
  require_input(!best || !last, "--keep-best, --keep-last: expected only one of the two");
  require_input(!best || reader.has("validation"),
                "--keep-best: expected --validation FRACTION or FILE too; its loss decides which weights are best");
  if (best || (reader.has("patience") && !last)) return KeptWeights::best;
  return last ? std::optional(KeptWeights::last) : std::nullopt;
}

void read_training(const OptionReader& reader, TrainCommand& command) {
  if (reader.has("batch-size")) command.batch_size = parse_batch_size(reader.string("batch-size"));
  command.accumulate = reader.whole("accumulate", {.least = 1});
  const auto kind = reader.word<OptimizerKind>(
      "optimizer",
      {{"sgd", OptimizerKind::sgd}, {"momentum", OptimizerKind::momentum}, {"adamw", OptimizerKind::adamw}});
  command.optimizer = {.kind = kind, .clip_norm = reader.real("clip-norm", 0)};
  if (reader.has("weight-decay")) command.weight_decay = reader.real("weight-decay", 0);
  if (reader.has("lr")) command.lr = reader.real("lr", 0);
  command.schedule = reader.word<ScheduleKind>(
      "lr-schedule",
      {{"constant", ScheduleKind::constant}, {"cosine", ScheduleKind::cosine}, {"step", ScheduleKind::step}});
  if (reader.has("warmup")) command.warmup = reader.whole("warmup", {.least = 0});
  if (reader.has("epochs")) command.epochs = reader.whole("epochs", {.least = 1});
  command.steps = reader.whole("steps", {.least = 1});
  command.patience = reader.whole("patience", {.least = 1});
  require_input(command.patience == 0 || reader.has("validation"),
                "--patience: expected --validation FRACTION or FILE too; its loss decides when to stop");
  command.kept = read_kept(reader);
  command.check_replicas = reader.whole("check-replicas", {.least = 1});
  command.time_limit_text = reader.string("time-limit");
  if (reader.given("time-limit")) command.time_limit = parse_duration("time-limit", command.time_limit_text);
  command.seed = static_cast<std::uint64_t>(reader.whole("seed", {.least = 0}));
}

void read_precision(const OptionReader& reader, TrainCommand& command) {
  enum class Precision { f32, tf32, bf16 };
  const auto precision = reader.word<Precision>(
      "precision", {{"f32", Precision::f32}, {"tf32", Precision::tf32}, {"bf16", Precision::bf16}});
  command.precision = reader.string("precision");
  if (precision == Precision::tf32) command.device.f32_products = F32Products::tf32;
  if (precision == Precision::bf16) command.product_type = DataType::bf16;
}

AnswerKind answers_for(TrainCommand::Loss loss) {
  using Loss = TrainCommand::Loss;
  return loss == Loss::automatic ? AnswerKind::automatic
         : loss == Loss::mse     ? AnswerKind::numbers
                                 : AnswerKind::classes;
}

std::vector<float> read_init(const OptionReader& reader) {
  if (!reader.has("init")) return {};
  for (const char* const option : {"load", "resume"}) {
    require_input(!reader.has(option), "--init: gives the weights, and so does --{} {}; expected only one of the two",
                  option, reader.string(option));
  }
  return parse_floats("init", reader.string("init"));
}

/// --evaluate; it is implied if weights and a file for predictions are given, and nothing that needs training.
void read_evaluation(const OptionReader& reader, TrainCommand& command) {
  const auto given = [&](const char* option) { return reader.given(option); };
  const bool trains = std::ranges::any_of(
      std::array{"save", "epochs", "steps", "metrics", "checkpoint", "resume", "time-limit", "patience"}, given);
  command.evaluate = reader.flag("evaluate");
  command.only_predicts = !command.evaluate && !command.load.empty() && !command.predictions.empty() && !trains;
  if (command.only_predicts) command.evaluate = true;
  if (!command.evaluate) return;
  require_input(!command.load.empty() || !command.checkpoints.resume.empty(),
                "--evaluate: expected with --load FILE or --resume FILE, the weights to evaluate");
  require_input(!command.checkpoints.enabled(),
                "--evaluate: trains nothing, but --checkpoint needs training; expected only one of the two");
  require_input(command.metrics.empty(), "--evaluate: has no steps for --metrics; expected only one of the two");
}

}  // namespace

TrainCommand parse_train_command(int argc, const char* const* argv) {
  const po::options_description table = train_options();
  const po::variables_map values = read_options(argc, argv, table);
  const OptionReader reader(values);
  TrainCommand command{.options = compared_options(values, table)};
  if (reader.flag("help")) command.action = TrainCommand::Action::help;
  if (reader.flag("version")) command.action = TrainCommand::Action::version;
  read_model(reader, command);
  read_training(reader, command);
  command.data = read_data_options(reader);
  for (const char* const option : {"categories", "missing", "standardize", "no-standardize"}) {
    if (reader.given(option)) command.preparation.push_back(option);
  }
  command.data.seed = command.seed;
  command.data.answers = answers_for(command.loss);
  command.mesh = reader.mesh("mesh");
  command.device = read_device(reader);
  read_precision(reader, command);
  command.memory_limit_text = reader.string("memory-limit");
  if (reader.has("memory-limit")) command.memory_limit = parse_bytes("memory-limit", command.memory_limit_text);
  command.config = reader.path("config");
  command.load = reader.path("load");
  command.init = read_init(reader);
  command.save = reader.path("save");
  command.predictions = reader.path("predictions");
  command.metrics = reader.path("metrics");
  command.metrics_every = reader.whole("metrics-every", {.least = 1});
  require_input(!reader.given("metrics-every") || !command.metrics.empty(),
                "--metrics-every {}: expected with --metrics FILE", command.metrics_every);
  command.summary = reader.path("summary");
  command.batching = read_batching(reader);
  command.checkpoints = read_checkpoints(reader);
  command.quiet = reader.flag("quiet");
  require_input(!command.time_limit || command.checkpoints.enabled(),
                "--time-limit {}: expected with --checkpoint DIR, to continue later", command.time_limit_text);
  read_evaluation(reader, command);
  command.explained_steps = read_explained_steps(reader);
  return command;
}

std::string_view name_of(Activation activation) {
  return std::ranges::find(kActivations, activation, &std::pair<std::string_view, Activation>::second)->first;
}

std::string train_help() {
  std::ostringstream out;
  out << "train: trains a dense network on all ranks of the job, which share the rows of a batch and the layers.\n"
         "usage: mpirun -np 4 ./train [options]\n"
      << train_options();
  return out.str();
}

}  // namespace recombine
