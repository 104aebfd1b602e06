#include "src/train_options.hpp"

#include <boost/program_options.hpp>
#include <fstream>
#include <sstream>

#include "src/parse.hpp"

namespace po = boost::program_options;

namespace recombine {

namespace {

po::typed_value<std::string>* text(const char* placeholder) {
  return po::value<std::string>()->value_name(placeholder);
}
po::typed_value<std::string>* text(const char* placeholder, const char* standard) {
  return text(placeholder)->default_value(standard);
}

po::options_description data_options() {
  po::options_description group("Data");
  group.add_options()
      ("data", text("WHAT", "fashion-mnist"), "fashion-mnist | DIR with IDX files (.gz or not) | FILE.csv | synthetic:ROWS,IN,OUT")
      ("target", text("COLUMNS"), "CSV: the column to predict, or several with commas between")
      ("standardize", po::bool_switch(), "inputs to mean 0 and deviation 1, as the training rows have them")
      ("validation", text("WHAT"), "a fraction of the training rows, or a FILE, to judge --patience by");
  return group;
}

po::options_description model_options() {
  po::options_description group("Model");
  group.add_options()
      ("hidden", text("WIDTHS", "1024,1024"), "widths of the hidden layers; \"\" for none")
      ("activation", text("NAME", "relu"), "of the hidden layers: relu | gelu | tanh | sigmoid | identity")
      ("no-bias", po::bool_switch(), "layers without bias")
      ("loss", text("NAME", "auto"), "auto | mse | cross-entropy; auto: cross-entropy for labels, else mse");
  return group;
}

po::options_description training_options() {
  po::options_description group("Training");
  group.add_options()
      ("batch-size", text("N", "256"), "rows of the global batch, over all ranks; 1: stochastic, all: batch gradient descent")
      ("optimizer", text("NAME", "adamw"), "sgd | momentum | adamw")
      ("lr", text("X"), "learning rate; default 0.001 for adamw, 0.02 for momentum, 0.1 for sgd")
      ("lr-schedule", text("NAME", "cosine"), "after the warm-up: constant | cosine (to 0) | step (a tenth after each third)")
      ("warmup", text("N"), "steps over which the rate rises to --lr; default 200 for adamw, else 0")
      ("weight-decay", text("X"), "of weights, not biases; default 0.01 for adamw, else 0")
      ("clip-norm", text("X", "0"), "scale the gradient down to this norm; 0: never")
      ("epochs", text("N", "8"), "passes over the training rows")
      ("steps", text("N"), "stop after so many steps")
      ("patience", text("N"), "stop after N epochs without a better validation loss")
      ("seed", text("N", "1"), "of initial weights, row order and splits");
  return group;
}

po::options_description machine_options() {
  po::options_description group("Machine");
  group.add_options()
      ("device", text("NAME", "auto"), "auto | cpu")
      ("threads", text("N"), "per rank; default OMP_NUM_THREADS, else cores / ranks of the host");
  return group;
}

po::options_description output_options() {
  po::options_description group("Output");
  group.add_options()
      ("save", text("FILE"), "write the weights: FILE.safetensors")
      ("metrics", text("FILE"), "write a line of JSON for each step and epoch: FILE.jsonl")
      ("summary", text("FILE"), "write one object when done: FILE.json")
      ("quiet", po::bool_switch(), "print nothing but errors")
      ("config", text("FILE"), "read options from FILE, as lines of name = value; the command line goes first")
      ("help", po::bool_switch(), "print this")
      ("version", po::bool_switch(), "print the version");
  return group;
}

po::options_description all_options() {
  po::options_description all;
  all.add(data_options()).add(model_options()).add(training_options()).add(machine_options()).add(output_options());
  return all;
}

/// Boost's messages in our words.
std::string explain(const po::error& error) {
  if (const auto* unknown = dynamic_cast<const po::unknown_option*>(&error)) {
    return fmt::format("unknown option '{}': see --help", unknown->get_option_name());
  }
  std::string message = error.what();
  for (char& c : message) c = c == '\n' ? ' ' : c;
  return message + ": see --help";
}

void parse_command_line(int argc, const char* const* argv, const po::options_description& options,
                        po::variables_map& values) {
  using namespace po::command_line_style;  // neither guessing nor short options: "-1" is a value
  const auto parsed = po::command_line_parser(argc, argv)
                          .options(options)
                          .style(allow_long | long_allow_adjacent | long_allow_next)
                          .run();
  for (const auto& option : parsed.options) {
    require_input(option.position_key == -1, "'{}': options begin with --; see --help",
                  option.value.empty() ? "" : option.value.front());
  }
  po::store(parsed, values);
}

void parse_config_file(const std::string& path, const po::options_description& options,
                       po::variables_map& values) {
  std::ifstream file(path);
  require_input(file.good(), "--config {}: cannot read it; a file of name = value lines is right", path);
  try {
    po::store(po::parse_config_file(file, options), values);
  } catch (const po::error& error) {
    throw InputError(fmt::format("--config {}: {}", path, explain(error)));
  }
}

po::variables_map read_values(int argc, const char* const* argv) {
  const po::options_description options = all_options();
  po::variables_map values;
  try {
    parse_command_line(argc, argv, options, values);
  } catch (const po::error& error) {
    throw InputError(explain(error));
  }
  if (values.count("config") != 0) parse_config_file(values["config"].as<std::string>(), options, values);
  return values;
}

/// The options' texts turned into numbers and choices.
class Reader {
 public:
  explicit Reader(const po::variables_map& values) : values_(values) {}

  bool has(const char* name) const { return values_.count(name) != 0; }
  bool flag(const char* name) const { return values_[name].as<bool>(); }
  std::string string(const char* name) const { return has(name) ? values_[name].as<std::string>() : ""; }
  std::int64_t whole(const char* name, Whole bounds, std::int64_t absent = 0) const {
    return has(name) ? parse_whole(name, string(name), bounds) : absent;
  }
  double real(const char* name, double absent) const {
    return has(name) ? parse_real(name, string(name), 0) : absent;
  }
  template <class T>
  T word(const char* name, std::initializer_list<std::pair<std::string_view, T>> words) const {
    return parse_word(name, string(name), words);
  }

 private:
  const po::variables_map& values_;
};

void read_model(const Reader& reader, TrainCommand& command) {
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

void read_training(const Reader& reader, TrainCommand& command) {
  if (const std::string size = reader.string("batch-size"); size != "all") {
    static constexpr std::int64_t kLargest = std::int64_t{1} << 40;
    try {
      command.batch_size = parse_whole("batch-size", size, {1, kLargest});
    } catch (const InputError&) {
      throw InputError(fmt::format("--batch-size '{}': a whole number from 1, or all, is right", size));
    }
  }
  const auto kind = reader.word<OptimizerKind>("optimizer", {{"sgd", OptimizerKind::sgd},
                                                             {"momentum", OptimizerKind::momentum},
                                                             {"adamw", OptimizerKind::adamw}});
  const bool adamw = kind == OptimizerKind::adamw;
  command.optimizer = {.kind = kind,
                       .weight_decay = reader.real("weight-decay", adamw ? 0.01 : 0),
                       .clip_norm = reader.real("clip-norm", 0)};
  command.lr = reader.real("lr", adamw ? 0.001 : kind == OptimizerKind::momentum ? 0.02 : 0.1);
  command.schedule = reader.word<ScheduleKind>("lr-schedule", {{"constant", ScheduleKind::constant},
                                                               {"cosine", ScheduleKind::cosine},
                                                               {"step", ScheduleKind::step}});
  command.warmup = reader.whole("warmup", {.least = 0}, adamw ? 200 : 0);
  command.epochs = reader.whole("epochs", {.least = 1});
  command.steps = reader.whole("steps", {.least = 1});
  command.patience = reader.whole("patience", {.least = 1});
  require_input(command.patience == 0 || reader.has("validation"),
                "--patience: needs --validation FRACTION or FILE to judge by");
  command.seed = static_cast<std::uint64_t>(reader.whole("seed", {.least = 0}));
}

}  // namespace

TrainCommand parse_train_command(int argc, const char* const* argv) {
  const po::variables_map values = read_values(argc, argv);
  const Reader reader(values);
  TrainCommand command;
  if (reader.flag("help")) command.action = TrainCommand::Action::help;
  if (reader.flag("version")) command.action = TrainCommand::Action::version;
  read_model(reader, command);
  read_training(reader, command);
  command.data = {.data = reader.string("data"),
                  .target = reader.string("target"),
                  .standardize = reader.flag("standardize"),
                  .validation = reader.string("validation"),
                  .seed = command.seed};
  command.device = reader.word<DeviceKind>("device", {{"auto", DeviceKind::cpu}, {"cpu", DeviceKind::cpu}});
  if (reader.has("threads")) command.threads = static_cast<int>(reader.whole("threads", {1, 4096}));
  command.save = reader.string("save");
  command.metrics = reader.string("metrics");
  command.summary = reader.string("summary");
  command.quiet = reader.flag("quiet");
  return command;
}

std::string train_help() {
  std::ostringstream out;
  out << "train: trains a dense network on all ranks of the job, each with its share of every batch.\n"
         "usage: mpirun -np 4 ./train [options]\n"
      << all_options();
  return out.str();
}

std::string version() { return "recombine " RECOMBINE_VERSION; }

}  // namespace recombine
