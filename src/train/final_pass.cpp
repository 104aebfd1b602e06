#include "src/train/write_predictions.hpp"

#include <optional>

#include "src/nn/predict.hpp"
#include "src/report/predictions.hpp"

namespace recombine {

namespace {

bool has_test(const SharedData& data) { return data.test().rows() > 0; }

const Table& table_of(const SharedData& data) { return has_test(data) ? data.test() : data.train(); }

}  // namespace

void reserve_predictions(OutputFile& file, const SharedData& data) {
  file.reserve(Predictions::most_bytes(table_of(data), data.outputs()));
}

void write_predictions(RankContext& context, Communicator& group, Trainer& trainer, const SharedData& data,
                       const std::string& path, OutputFile* file) {
  std::optional<Predictions> predictions;
  for_each_output(context, group, trainer, has_test(data) ? trainer.test_table() : trainer.train_table(),
                  [&](std::span<const float> outputs) {
                    if (!predictions) predictions.emplace(*file, path, table_of(data), data.outputs());
                    predictions->add(outputs);
                  });
}

}  // namespace recombine
