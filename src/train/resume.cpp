#include "src/train/resume.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <sstream>

#include <fmt/ranges.h>

#include "kernels/error.hpp"
#include "src/nn/checkpoint/checkpoint_header.hpp"
#include "src/nn/checkpoint/read_tensor.hpp"

namespace recombine {

namespace {

constexpr const char* kTrainingRows = "--data: training rows";

/// Requires that the file has the values of this run. @throws InputError that names the first difference
void require_facts(const std::string& file, const Facts& stored, const Facts& own) {
  for (const Fact& fact : own) {
    const auto found = std::ranges::find(stored, fact.name, &Fact::name);
    require_input(found != stored.end() && found->value == fact.value,
                  "{}: {} is {} in the checkpoint and {} in this run; expected the same value{}", file, fact.name,
                  found != stored.end() ? found->value : "absent", fact.value,
                  fact.name == kTrainingRows ? " (--target, --standardize and --validation change them too)" : "");
  }
}

/// Requires that a run that keeps the best weights finds them in the file, and another run does not. An evaluation of the
/// last weights needs no other tensors.
void require_best(const SafetensorsFile& file, const TrainedTensors& tensors) {
  const bool stored = file.tensors().contains(TrainedTensors::kBestPrefix + tensors.parameter(0).name);
  require_input(!tensors.has_best() || stored, "{}: does not hold the weights of the best epoch; expected --keep-last",
                file.name());
  require_input(tensors.has_best() || !stored || tensors.vectors.size() == 1,
                "{}: also holds the weights of the best epoch; expected --keep-best", file.name());
}

/// Reads this rank's part of all tensors. @throws DamagedFile; InputError if the facts differ
CheckpointInfo read(const std::string& path, RankContext& context, Trainer& trainer, const Facts& facts) {
  const SafetensorsFile file("resume", path);
  CheckpointInfo info = read_checkpoint_info(file);
  require_facts(file.name(), info.options, facts);
  const TrainedTensors tensors = trainer.tensors();
  require_best(file, tensors);
  try {
    require_input(file.tensors().size() == info.fingerprints.size() && tensors.size() <= info.fingerprints.size(),
                  "{}: has {} tensors and {} fingerprints; expected {} of each", file.name(), file.tensors().size(),
                  info.fingerprints.size(), tensors.size());
    for (std::size_t n = 0; n < tensors.size(); ++n) {
      require_shape(file, tensors.name(n), tensors.parameter(n));
      read_tensor(context, file, tensors.name(n), tensors.matrix(n));
    }
  } catch (const InputError& error) {
    throw DamagedFile(error.what());
  }
  trainer.model().round_weights();
  context.compute().synchronize();
  return info;
}

/// Calls `read` on every rank. Returns what is wrong with the file, as the first rank that finds it damaged says; "": all
/// ranks have read it. @throws any other error of a rank, on every rank
std::string read_on_all(const Session& session, const CheckpointWriter::Parts& parts,
                        const std::function<void()>& read) {
  std::string damage;
  agree(parts.world, parts.stream, [&] {
    try {
      read();
    } catch (const DamagedFile& error) {
      damage = error.what();
    }
  });
  const std::vector<std::string> damages = from_every_rank(session, damage);
  const auto first = std::ranges::find_if(damages, [](const std::string& text) { return !text.empty(); });
  return first != damages.end() ? *first : "";
}

/// Returns what is wrong with the tensors that were read from `path`, or "".
/// @param stored  the fingerprints in the file; an evaluation has read no moments
std::string compare_fingerprints(const std::string& path, Trainer& trainer, const std::vector<std::uint64_t>& stored) {
  const std::vector<std::uint64_t> found = trainer.compare_replicas();
  for (std::size_t n = 0; n < found.size(); ++n) {
    if (found[n] == stored[n]) continue;
    return fmt::format("--resume {}: tensor {} has fingerprint {:016x}; expected {:016x}: the file is damaged", path,
                       trainer.tensors().name(n), found[n], stored[n]);
  }
  return "";
}

/// Adds a note if the checkpoint was written with another schedule of the learning rate.
void note_schedule(const CheckpointInfo& info, const Trainer& trainer, Resumed& resumed) {
  const Fact own = schedule_fact(trainer);
  const auto stored = std::ranges::find(info.options, own.name, &Fact::name);
  if (stored == info.options.end() || stored->value == own.value) return;
  resumed.schedule_note = fmt::format("--resume {}: the learning rate was {}; it is now {}: {:.6g} at the next step",
                                      resumed.path, stored->value, own.value, trainer.schedule().at(info.state.step));
}

}  // namespace

Fact schedule_fact(const Trainer& trainer) { return {"schedule", trainer.schedule().to_string()}; }

Fact weight_decay_fact(const TrainerOptions& options) {
  return {"--weight-decay", fmt::format("{}", options.optimizer.weight_decay)};
}

Facts resume_facts(const Session& session, const TrainCommand& command, const SharedData& data,
                   const TrainerOptions& options) {
  const std::string hidden = fmt::format("{}", fmt::join(options.model.hidden, ","));
  Facts facts = {{"--hidden", hidden.empty() ? "''" : hidden},
                 {"--activation", std::string(name_of(options.model.activation))},
                 {"--no-bias", options.model.bias == Bias::none ? "true" : "false"}};
  if (command.evaluate) return facts;
  // Paths, ranks, devices, rates and the length of the run may change.
  const std::int64_t batch = command.batch_size.value_or(options.batch_size);
  facts.push_back({"--batch-size", batch == TrainCommand::kAllRows ? "all" : fmt::format("{}", batch)});
  for (const Fact& fact : command.options) {
    const bool same = fact.name == "--accumulate" || fact.name == "--optimizer" || fact.name == "--seed";
    if (same) facts.push_back(fact);
  }
  if (command.weight_decay) facts.push_back(weight_decay_fact(options));  // its default depends on the run's length
  facts.push_back({"--clip-norm", fmt::format("{}", command.optimizer.clip_norm)});
  constexpr std::array kContents = {kTrainingRows, "--data: test rows", "--validation: rows", "--data: classes",
                                    "--data: factors of the inputs"};
  const std::vector<std::string> contents =
      share_lines(session, session.rank() == 0 ? data.contents() : std::vector<std::string>());
  for (std::size_t n = 0; n < kContents.size(); ++n) facts.push_back({kContents[n], contents.at(n)});
  return facts;
}

std::optional<Resumed> resume(Session& session, const CheckpointWriter::Parts& parts, Trainer& trainer,
                              const CheckpointCommand& command, const Facts& facts) {
  Resumed resumed;
  std::string newest;  // what is wrong with the newest checkpoint
  std::vector<std::string> paths = {command.resume};
  if (command.resumes_newest())
    paths = share_lines(session, parts.folder ? parts.folder->candidates() : std::vector<std::string>());
  for (const std::string& path : paths) {
    CheckpointInfo info;
    std::string damage = read_on_all(session, parts, [&] { info = read(path, parts.context, trainer, facts); });
    if (damage.empty()) damage = compare_fingerprints(path, trainer, info.fingerprints);
    if (damage.empty()) {
      resumed.path = path;
      resumed.state = info.state;
      note_schedule(info, trainer, resumed);
      return resumed;
    }
    if (!command.resumes_newest()) throw InputError(damage);
    if (newest.empty()) newest = damage;
    resumed.notes.push_back(damage + "; the checkpoint before it is used");
  }
  require_input(paths.empty(), "{}: every checkpoint is damaged; expected an undamaged one, or an empty folder. {}",
                command.name(), newest);
  return std::nullopt;
}

}  // namespace recombine
