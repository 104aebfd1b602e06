#include "src/train/options.hpp"

#include <sstream>

#include "src/program/compared_options.hpp"
#include "src/program/device_options.hpp"

namespace recombine {

namespace {

po::options_description data_options() {
  po::options_description group("Data");
  group.add_options()("data", text_option("WHAT", "fashion-mnist"),
                      "fashion-mnist | DIR with IDX files (.gz or not) | FILE.csv | synthetic:ROWS,IN,OUT")(
      "target", text_option("COLUMNS"),
      "CSV: the column to predict, or several, separated by commas; write a name with a comma in \"\"")(
      "standardize", po::bool_switch(), "scale inputs to mean 0 and deviation 1 over the training rows")(
      "validation", text_option("WHAT"),
      "rows for the validation loss: a fraction of the training rows, or a CSV file");
  return group;
}

po::options_description model_options() {
  po::options_description group("Model");
  group.add_options()("hidden", text_option("WIDTHS", "1024,1024"), "widths of the hidden layers; \"\" for none")(
      "activation", text_option("NAME", "relu"),
      "of the hidden layers: relu | gelu (its tanh approximation) | tanh | sigmoid | identity")(
      "no-bias", po::bool_switch(), "layers without bias")(
      "load", text_option("FILE"),
      "start from the weights in FILE (safetensors, written by --save or from a PyTorch state_dict; the same network, "
      "any mesh)")("evaluate", po::bool_switch(),
                   "train nothing: print the loss and accuracy of the weights of --load or --resume")(
      "loss", text_option("NAME", "auto"), "auto | mse | cross-entropy; auto: cross-entropy for labels, else mse");
  return group;
}

po::options_description training_options() {
  po::options_description group("Training");
  group.add_options()("batch-size", text_option("N", "256"),
                      "rows of a batch, over all ranks; 1: stochastic, all: batch gradient descent")(
      "accumulate", text_option("N", "1"),
      "add the gradients of N batches before each update: like N times --batch-size, in the memory of one batch")(
      "optimizer", text_option("NAME", "adamw"), "sgd | momentum | adamw")(
      "lr", text_option("X"), "learning rate; default 0.001 for adamw, 0.02 for momentum, 0.1 for sgd")(
      "lr-schedule", text_option("NAME", "cosine"),
      "after the warm-up: constant | cosine (to 0) | step (a tenth after each third)")(
      "warmup", text_option("N"), "steps over which the rate rises to --lr; default 200 for adamw, else 0")(
      "weight-decay", text_option("X"), "of weights, not biases; default 0.01 for adamw, else 0")(
      "clip-norm", text_option("X", "0"), "scale a gradient with a larger norm down to this norm; 0: never")(
      "epochs", text_option("N", "8"), "passes over the training rows")("steps", text_option("N"),
                                                                        "stop after N steps")(
      "patience", text_option("N"), "stop after N epochs without a better validation loss; the last weights are kept")(
      "check-replicas", text_option("N"),
      "after every Nth step, compare the weights and moments that several ranks hold; always at the end of an epoch")(
      "time-limit", text_option("TIME"),
      "write a checkpoint and end with exit code 75 once the program has run this long: 90s, 55m, 1h30m")(
      "seed", text_option("N", "1"), "seed of initial weights, row order, splits and synthetic data");
  return group;
}

po::options_description machine_options() {
  po::options_description group("Machine");
  add_device_options(group);
  group.add_options()("mesh", text_option("IxJxK", "auto"),
                      "the mesh of ranks: the rows of a batch in I parts, the widths of the layers in J and K parts by "
                      "turns; auto: all ranks along I")(
      "memory-limit", text_option("BYTES"),
      "memory for training and its data per rank, such as 2GiB; default the host's memory / its "
      "ranks. If given, compressed data may also be more than 1,000 times as large as their file")(
      "precision", text_option("NAME", "f32"),
      "f32 | tf32 (GPU; operands of products) | bf16 (operands of products, activations and their gradients); sums, "
      "weights and updates stay f32");
  return group;
}

po::options_description output_options() {
  po::options_description group("Output");
  group.add_options()("save", text_option("FILE"), "write the last weights to FILE, in the safetensors format")(
      "predictions", text_option("FILE"),
      "write the prediction of the final weights for each test row, or each training row if there are no test rows, to "
      "FILE as CSV: the class and the probability of each class, or the outputs")(
      "metrics", text_option("FILE"), "write a line of JSON for each step and epoch to FILE")(
      "metrics-every", text_option("N", "1"), "write a line to --metrics only for every Nth step")(
      "summary", text_option("FILE"), "write the results to FILE at the end, as one JSON object")(
      "quiet", po::bool_switch(), "print nothing but errors");
  add_common_options(group);
  return group;
}

po::options_description all_options() {
  po::options_description all;
  all.add(data_options()).add(model_options()).add(training_options()).add(machine_options());
  all.add(checkpoint_options()).add(output_options());
  return all;
}

void read_model(const OptionReader& reader, TrainCommand& command) {
  using Loss = TrainCommand::Loss;
  command.hidden = parse_widths("hidden", reader.string("hidden"));
  command.activation = reader.word<Activation>("activation", {{"relu", Activation::relu},
                                                              {"gelu", Activation::gelu},
                                                              {"tanh", Activation::tanh},
                                                              {"sigmoid", Activation::sigmoid},
                                                              {"identity", Activation::identity}});
  command.bias = reader.flag("no-bias") ? Bias::none : Bias::per_output;
  command.loss = reader.word<Loss>(
      "loss", {{"auto", Loss::automatic}, {"mse", Loss::mse}, {"cross-entropy", Loss::cross_entropy}});
}

void read_training(const OptionReader& reader, TrainCommand& command) {
  if (const std::string size = reader.string("batch-size"); size != "all") {
    static constexpr std::int64_t kLargest = std::int64_t{1} << 40;
    try {
      command.batch_size = parse_whole("batch-size", size, {1, kLargest});
    } catch (const InputError&) {
      throw InputError(fmt::format("--batch-size '{}': expected a whole number from 1 to 2^40, or all", size));
    }
  }
  command.accumulate = reader.whole("accumulate", {.least = 1});
  const auto kind = reader.word<OptimizerKind>(
      "optimizer",
      {{"sgd", OptimizerKind::sgd}, {"momentum", OptimizerKind::momentum}, {"adamw", OptimizerKind::adamw}});
  const bool adamw = kind == OptimizerKind::adamw;
  command.optimizer = {.kind = kind,
                       .weight_decay = reader.real("weight-decay", adamw ? 0.01 : 0),
                       .clip_norm = reader.real("clip-norm", 0)};
  command.lr = reader.real("lr", adamw ? 0.001 : kind == OptimizerKind::momentum ? 0.02 : 0.1);
  command.schedule = reader.word<ScheduleKind>(
      "lr-schedule",
      {{"constant", ScheduleKind::constant}, {"cosine", ScheduleKind::cosine}, {"step", ScheduleKind::step}});
  command.warmup = reader.whole("warmup", {.least = 0}, adamw ? 200 : 0);
  command.epochs = reader.whole("epochs", {.least = 1});
  command.steps = reader.whole("steps", {.least = 1});
  command.patience = reader.whole("patience", {.least = 1});
  require_input(command.patience == 0 || reader.has("validation"),
                "--patience: expected --validation FRACTION or FILE too; its loss decides when to stop");
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

}  // namespace

TrainCommand parse_train_command(int argc, const char* const* argv) {
  const po::options_description table = all_options();
  const po::variables_map values = read_options(argc, argv, table);
  const OptionReader reader(values);
  TrainCommand command{.options = compared_options(values, table)};
  if (reader.flag("help")) command.action = TrainCommand::Action::help;
  if (reader.flag("version")) command.action = TrainCommand::Action::version;
  read_model(reader, command);
  read_training(reader, command);
  command.data = {.data = reader.string("data"),
                  .target = reader.string("target"),
                  .standardize = reader.flag("standardize") ? Standardize::yes : Standardize::automatic,
                  .validation = reader.string("validation"),
                  .seed = command.seed};
  command.mesh = reader.mesh("mesh");
  command.device = read_device(reader);
  read_precision(reader, command);
  command.memory_limit_text = reader.string("memory-limit");
  if (reader.has("memory-limit")) command.memory_limit = parse_bytes("memory-limit", command.memory_limit_text);
  command.config = reader.path("config");
  command.load = reader.path("load");
  command.evaluate = reader.flag("evaluate");
  command.save = reader.path("save");
  command.predictions = reader.path("predictions");
  command.metrics = reader.path("metrics");
  command.metrics_every = reader.whole("metrics-every", {.least = 1});
  require_input(!reader.given("metrics-every") || !command.metrics.empty(),
                "--metrics-every {}: expected with --metrics FILE", command.metrics_every);
  command.summary = reader.path("summary");
  command.checkpoints = read_checkpoints(reader);
  command.quiet = reader.flag("quiet");
  require_input(!command.time_limit || command.checkpoints.enabled(),
                "--time-limit {}: expected with --checkpoint DIR, to continue later", command.time_limit_text);
  if (command.evaluate) {
    require_input(!command.load.empty() || !command.checkpoints.resume.empty(),
                  "--evaluate: expected with --load FILE or --resume FILE, the weights to evaluate");
    require_input(!command.checkpoints.enabled(),
                  "--evaluate: trains nothing, but --checkpoint needs training; expected only one of the two");
    require_input(command.metrics.empty(), "--evaluate: has no steps for --metrics; expected only one of the two");
  }
  return command;
}

std::string train_help() {
  std::ostringstream out;
  out << "train: trains a dense network on all ranks of the job, which share the rows of a batch and the layers.\n"
         "usage: mpirun -np 4 ./train [options]\n"
      << all_options();
  return out.str();
}

}  // namespace recombine
