#include "src/train/prepare.hpp"

#include <algorithm>
#include <iterator>
#include <new>

#include "distributed/io/output_file.hpp"
#include "kernels/error.hpp"
#include "src/data/csv.hpp"
#include "src/program/same_files.hpp"

namespace recombine {

namespace {

std::vector<NamedFile> inputs_of(const TrainCommand& command) {
  std::vector<NamedFile> inputs = {{"config", command.config}, {"validation", command.data.validation}};
  for (const std::string& path : files_of(command.data)) inputs.push_back({"data", path});
  return inputs;
}

}  // namespace

LoadedData load_tables(const Session& session, const TrainCommand& command, const RankMemory& memory) {
  LoadedData data;
  DataOptions options = command.data;
  options.memory = {.host_bytes = memory.bytes * session.local_size(),
                    .growth = command.memory_limit ? Growth::any : Growth::thousandfold};
  if (!memory.limit.empty()) {
    const int ranks = session.local_size();
    options.memory.limit = ranks == 1 ? memory.limit : fmt::format("{} for each of its {} ranks", memory.limit, ranks);
  }
  try {
    data = load_data(options).data;
  } catch (const std::bad_alloc&) {
    throw InputError(fmt::format("--data {}: does not fit this host's memory; expected fewer rows", command.data.data));
  }
  if (command.loss == TrainCommand::Loss::cross_entropy && data.classes == 0) make_classes(data);
  require_input(command.loss != TrainCommand::Loss::mse || data.classes == 0,
                "--loss mse: {} has class labels; expected auto or cross-entropy", data.name);
  return data;
}

TrainerOptions trainer_options(const TrainCommand& command, const SharedData& data) {
  return {.model = {.inputs = data.inputs(),
                    .hidden = command.hidden,
                    .outputs = data.outputs(),
                    .activation = command.activation,
                    .bias = command.bias,
                    .product_type = command.product_type},
          .loss = data.classes() > 0 ? LossKind::cross_entropy : LossKind::mse,
          .batch_size = std::min(command.batch_size.value_or(data.train().rows()), data.train().rows()),
          .accumulate = command.accumulate,
          .epochs = command.epochs,
          .steps = command.steps,
          .patience = command.patience,
          .norm_every = command.metrics.empty() ? 0 : command.metrics_every,
          .check_replicas = command.check_replicas,
          .seed = command.seed,
          .optimizer = command.evaluate ? OptimizerOptions{.kind = OptimizerKind::sgd} : command.optimizer,
          .schedule = {.kind = command.schedule, .lr = command.lr, .warmup = command.warmup}};
}

void check_command(Session& session, const TrainCommand& command, const Mesh& mesh) {
  const std::string resumed_file = command.checkpoints.resumes_newest() ? "" : command.checkpoints.resume;
  agree(session, [&] {
    require_input(mesh.size() == session.size(), "--mesh {}: has {} ranks; expected {}, as the job has",
                  mesh.to_string(), mesh.size(), session.size());
    const std::vector<NamedFile> reports = {
        {"predictions", command.predictions}, {"summary", command.summary}, {"metrics", command.metrics}};
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
