#pragma once

#include <limits>
#include <optional>
#include <string>

#include "distributed/comparison.hpp"
#include "src/data/load_data.hpp"
#include "src/nn/trainer.hpp"
#include "src/program/rank_device.hpp"
#include "src/train/batching_command.hpp"
#include "src/train/checkpoint_command.hpp"

namespace recombine {

/// The options of the command line and the configuration file, checked as far as possible without the data.
struct TrainCommand {
  static constexpr std::int64_t kAllRows = std::numeric_limits<std::int64_t>::max();  ///< as batch_size

  enum class Action { train, help, version };
  enum class Loss { automatic, mse, cross_entropy };

  Action action = Action::train;
  Facts options;  ///< as texts, for the comparison of ranks
  DataOptions data;
  std::vector<std::string> preparation;             ///< given options that a saved model fixes, such as "missing"
  std::optional<std::vector<std::int64_t>> hidden;  ///< none: that of --load, or a default; the same for the next two
  std::optional<Activation> activation;
  std::optional<Bias> bias;
  Loss loss = Loss::automatic;
  std::optional<std::int64_t> batch_size;  ///< rows of a micro-batch; none: a default for the data
  std::int64_t accumulate = 1;             ///< micro-batches per step
  OptimizerOptions optimizer;              ///< without its weight_decay
  std::optional<double> weight_decay;      ///< none: a default for the data; the same for the next three
  std::optional<double> lr;
  std::optional<std::int64_t> warmup;
  std::optional<std::int64_t> epochs;
  ScheduleKind schedule = ScheduleKind::cosine;
  std::int64_t steps = 0;            ///< 0: as many as the epochs have
  std::int64_t patience = 0;         ///< 0: none
  std::optional<KeptWeights> kept;   ///< none: the last ones; --evaluate: the best ones if the file has them
  std::int64_t check_replicas = 0;   ///< steps; 0: only at the end of each epoch
  std::optional<double> time_limit;  ///< seconds since the start of the program; none: no limit
  std::string time_limit_text;       ///< as given, for messages
  std::uint64_t seed = 0;
  std::vector<float> init;           ///< the first weights, in the order of ParameterLayout; empty: by the seed
  std::int64_t explained_steps = 0;  ///< > 0: print so many steps number by number, and train nothing else
  std::optional<Mesh> mesh;          ///< none: all ranks along i
  DeviceCommand device;
  std::optional<double> memory_limit;     ///< bytes per rank; none: its share of the host's memory
  std::string memory_limit_text;          ///< as given, for messages
  std::string precision;                  ///< "f32", "tf32", "bf16"
  DataType product_type = DataType::f32;  ///< of the operands of products
  std::string config, load, save, predictions, metrics, summary;  ///< files; "": none
  std::int64_t metrics_every = 1;                                 ///< steps from one line of metrics to the next
  CheckpointCommand checkpoints;
  BatchingCommand batching;
  bool evaluate = false;       ///< train nothing
  bool only_predicts = false;  ///< --evaluate follows from other options
  bool quiet = false;
};

/// @throws InputError: one line that names the option, and says what is expected
TrainCommand parse_train_command(int argc, const char* const* argv);

/// As --activation names it.
std::string_view name_of(Activation activation);

/// The options in groups, with their defaults.
std::string train_help();

}  // namespace recombine
