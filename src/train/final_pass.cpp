#include "src/train/final_pass.hpp"

#include "src/nn/predict.hpp"

namespace recombine {

namespace {

bool has_test(const SharedData& data) { return data.test().rows() > 0; }

/// The table of --predictions.
PredictedTable predicted_table(const FinalQuestions& questions) {
  const SharedData& data = questions.data;
  return {has_test(data) ? data.test() : data.train(), questions.schema, data.outputs(), questions.answers,
          questions.rows_of_file};
}

/// A table on the device and on the host, and what is asked about it.
struct AskedTable {
  const DeviceTable& device;
  const Table& host;
  bool scored;
  bool predicted;
};

std::optional<TableScores> ask(RankContext& context, Communicator& group, Trainer& trainer,
                               const FinalQuestions& questions, const AskedTable& table) {
  std::optional<TableScorer> scorer;
  std::optional<Predictions> predictions;
  if (table.host.rows() == 0 || !(table.scored || table.predicted)) return {};
  const auto visit = [&](std::span<const float> outputs) {
    if (table.scored) {
      if (!scorer) scorer.emplace(table.host, questions.data.outputs(), questions.schema.targets);
      scorer->add(outputs);
    }
    if (table.predicted) {
      if (!predictions) predictions.emplace(*questions.file, questions.predictions, predicted_table(questions));
      predictions->add(outputs);
    }
  };
  for_each_output(context, group, trainer, table.device, visit);
  return scorer ? std::optional(scorer->finish()) : std::nullopt;
}

}  // namespace

void reserve_predictions(const FinalQuestions& questions) {
  questions.file->reserve(Predictions::most_bytes(predicted_table(questions)));
}

FinalScores final_pass(RankContext& context, Communicator& group, Trainer& trainer, const FinalQuestions& questions) {
  const SharedData& data = questions.data;
  const bool scored = questions.answers == Answers::present, predicted = !questions.predictions.empty();
  const auto about = [&](const AskedTable& table) { return ask(context, group, trainer, questions, table); };
  return {.train = about(
              {trainer.train_table(), data.train(), scored && questions.scores_training, predicted && !has_test(data)}),
          .validation = about({trainer.validation_table(), data.validation(), scored, false}),
          .test = about({trainer.test_table(), data.test(), scored, predicted})};
}

}  // namespace recombine
