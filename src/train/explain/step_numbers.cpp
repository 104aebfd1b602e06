#include "src/train/explain/step_numbers.hpp"

#include <algorithm>
#include <cmath>

#include "src/train/explain/written.hpp"

namespace recombine {

namespace {

/// The largest term of each column of dW = dZ^T X.
std::vector<double> sizes_of_gradient(const LayerNumbers& layer) {
  const double largest_dz = largest(layer.dz);
  std::vector<double> sizes(static_cast<std::size_t>(layer.x.cols), 0);
  for (std::size_t n = 0; n < layer.x.values.size(); ++n) {
    double& size = sizes[n % sizes.size()];
    size = std::max(size, largest_dz * std::abs(layer.x.values[n]));
  }
  return sizes;
}

}  // namespace

StepNumbers rounded(StepNumbers step) {
  for (LayerNumbers& layer : step.layers) {
    layer.weight.gradient = rounded(std::move(layer.weight.gradient), sizes_of_gradient(layer));
    for (Numbers* matrix : {&layer.y, &layer.dz, &layer.bias.gradient}) {
      *matrix = rounded(std::move(*matrix));
    }
  }
  for (std::size_t l = 1; l < step.layers.size(); ++l) step.layers[l].x = step.layers[l - 1].y;
  return step;
}

StepCollector::StepCollector(RankContext& context, Communicator& all, const Trainer& trainer, const SharedData& data,
                             const TrainerOptions& options)
    : context_(context), all_(all), trainer_(trainer), data_(data), options_(options), before_(weights()) {}

std::vector<Numbers> StepCollector::weights() const {
  const Model& model = trainer_.model();
  std::vector<Numbers> all;
  for (std::size_t t = 0; t < model.layout().tensors().size(); ++t) {
    all.push_back(whole_of(context_, all_, model.layout().matrix(t, model.weights())));
  }
  return all;
}

Numbers StepCollector::targets(const std::vector<std::int64_t>& rows) const {
  const Table& table = data_.train();  // in the host's memory
  Numbers targets{.rows = std::ssize(rows), .cols = data_.outputs()};
  for (const std::int64_t row : rows) {
    for (std::int64_t col = 0; col < targets.cols; ++col) {
      const bool classes = data_.classes() > 0;
      const double value = classes ? static_cast<double>(table.labels.as<std::int32_t>()[row] == col)
                                   : table.targets.as<float>()[row * table.targets.ld + col];
      targets.values.push_back(value);
    }
  }
  return targets;
}

StepNumbers StepCollector::collect(const StepRecord& record) {
  StepNumbers step{.record = record, .loss = options_.loss, .optimizer = options_.optimizer};
  const std::int64_t end = trainer_.state().position;
  for (std::int64_t p = end - record.rows; p < end; ++p) step.rows.push_back(trainer_.order()(p));
  step.targets = targets(step.rows);
  std::vector<Numbers> after = weights();
  const Model& model = trainer_.model();
  for (std::size_t l = 0; l < model.shape().layers(); ++l) {
    const LayerMatrices layer = model.layer(l);
    const std::size_t t = model.layout().weight_of(l);
    LayerNumbers numbers{.activation = layer.activation,
                         .x = whole_of(context_, all_, layer.x),
                         .y = whole_of(context_, all_, layer.y),
                         .dz = whole_of(context_, all_, layer.dz),
                         .weight = {before_[t], whole_of(context_, all_, layer.weight_gradient), after[t]}};
    if (layer.bias) numbers.bias = {before_[t + 1], whole_of(context_, all_, *layer.bias_gradient), after[t + 1]};
    step.layers.push_back(std::move(numbers));
  }
  before_ = std::move(after);
  return step;
}

}  // namespace recombine
