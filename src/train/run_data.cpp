#include "src/train/run_data.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "distributed/comparison.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

std::optional<SavedNetwork> read_saved(const TrainCommand& command, Communicator& world, Stream& stream) {
  std::optional<SavedNetwork> saved;
  agree(world, stream, [&] { saved = read_saved_network(command); });
  return saved;
}

/// What a user should know of the run besides the notes of the data.
std::vector<std::string> notes_of_run(const TrainCommand& command, const DataSet& set) {
  std::vector<std::string> notes;
  if (command.only_predicts) {
    notes.push_back(
        fmt::format("--load {} with --predictions: nothing is trained; --epochs N continues training", command.load));
  }
  const bool scaled = std::ranges::any_of(
      set.schema.targets, [](const TargetColumn& target) { return target.mean != 0 || target.deviation != 1; });
  if (set.schema.classes.empty() && set.schema.targets.size() > 1 && scaled) {
    notes.emplace_back("losses are means over the targets, each in units of its standard deviation");
  }
  return notes;
}

/// Refuses data without answers for all but predictions.
void require_only_predictions(const TrainCommand& command, const TableSchema& schema) {
  const std::string target = schema.targets.empty() ? "" : schema.targets.front().name;
  require_input(command.evaluate, "--data {}: has no values of '{}'; expected them for training", command.data.data,
                target);
  require_input(
      !command.predictions.empty(),
      "--evaluate: {} has no values of '{}' to compare with; expected --predictions FILE, or data with these values",
      command.data.data, target);
}

}  // namespace

RunData::RunData(const Session& session, const TrainCommand& command, const RankMemory& memory, Communicator& world,
                 Stream& stream)
    : saved_(read_saved(command, world, stream)), tables_(session, world, stream, [&] {
        set_ = load_tables(session, command, memory, saved_);
        predicted_rows_ = std::move((set_.data.test.rows > 0 ? set_.data.test : set_.data.train).rows_of_file);
        return std::move(set_.data);
      }) {
  const std::string own =
      fmt::format("{} {}", set_.answers == Answers::absent ? "absent" : "", set_.schema.inputs.empty() ? "images" : "");
  const std::string known = from_every_rank(session, own).front();  // only the first ranks of the hosts have read them
  if (known.starts_with("absent")) answers_ = Answers::absent;
  if (known.ends_with("images")) {
    kind_ = command.data.data.starts_with("synthetic:") ? DataFacts::Kind::synthetic : DataFacts::Kind::images;
  }
  if (answers_ == Answers::absent) require_only_predictions(command, set_.schema);
  for (std::string& note : notes_of_run(command, set_)) set_.notes.push_back(std::move(note));
}

}  // namespace recombine
