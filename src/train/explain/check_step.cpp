#include "src/train/explain/check_step.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr double kTolerance = 1e-4;  // of the sum of the terms' magnitudes

const double kGeluFactor = std::sqrt(2 / std::numbers::pi);
constexpr double kGeluCube = 0.044715;

double gelu_tanh(double z) { return std::tanh(kGeluFactor * (z + kGeluCube * z * z * z)); }

/// A sum of scalars, and the sum of their magnitudes.
struct Sum {
  double value = 0, magnitude = 0;
  void add(double term) {
    value += term;
    magnitude += std::abs(term);
  }
};

class Comparison {
 public:
  void compare(const char* name, std::size_t layer, const Sum& sum, double matrix) {
    const double difference = std::abs(sum.value - matrix);
    require(difference <= kTolerance * std::max(sum.magnitude, std::abs(matrix)),
            "{} of layer {}: the sum of scalars is {}, and the matrix has {}; expected a relative difference of at "
            "most {}",
            name, layer + 1, sum.value, matrix, kTolerance);
    ++count;
  }
  std::int64_t count = 0;
};

Sum forward(const LayerNumbers& layer, std::int64_t row, std::int64_t output) {
  Sum sum;
  for (std::int64_t k = 0; k < layer.x.cols; ++k) sum.add(layer.x.at(row, k) * layer.weight.before.at(output, k));
  if (!layer.bias.empty()) sum.add(layer.bias.before.at(0, output));
  return sum;
}

Sum loss_gradient(const StepNumbers& step, std::int64_t row, std::int64_t output) {
  Sum sum;
  const double target = step.targets.at(row, output);
  const auto rows = static_cast<double>(step.batch());
  if (step.loss == LossKind::mse) {
    const double factor = 2 / (rows * static_cast<double>(step.outputs()));
    sum.add(factor * step.layers.back().y.at(row, output));
    sum.add(-factor * target);
  } else {
    sum.add(softmax(step, row)[static_cast<std::size_t>(output)] / rows);
    sum.add(-target / rows);
  }
  return sum;
}

Sum hidden_gradient(const LayerNumbers& layer, const LayerNumbers& next, std::int64_t row, std::int64_t output) {
  const double slope = derivative(layer.activation, forward(layer, row, output).value, layer.y.at(row, output));
  Sum sum;
  for (std::int64_t o = 0; o < next.dz.cols; ++o) {
    sum.add(next.dz.at(row, o) * next.weight.before.at(o, output) * slope);
  }
  return sum;
}

Sum loss(const StepNumbers& step) {
  Sum sum;
  const auto rows = static_cast<double>(step.batch());
  for (std::int64_t r = 0; r < step.batch(); ++r) {
    const std::vector<double> p = step.loss == LossKind::mse ? std::vector<double>() : softmax(step, r);
    for (std::int64_t o = 0; o < step.outputs(); ++o) {
      const double error = step.layers.back().y.at(r, o) - step.targets.at(r, o);
      if (step.loss == LossKind::mse) sum.add(error * error / rows / static_cast<double>(step.outputs()));
      if (step.loss != LossKind::mse && step.targets.at(r, o) == 1)
        sum.add(-std::log(p[static_cast<std::size_t>(o)]) / rows);
    }
  }
  return sum;
}

void compare_updates(const StepNumbers& step, std::size_t l, const ParameterNumbers& parameter, Comparison& all) {
  for (std::size_t n = 0; n < parameter.before.values.size() && step.plain_update(); ++n) {
    Sum sum;
    sum.add(parameter.before.values[n]);
    sum.add(-step.record.lr * parameter.gradient.values[n]);
    all.compare("a new weight", l, sum, parameter.after.values[n]);
  }
}

void compare_parameters(const StepNumbers& step, std::size_t l, Comparison& all) {
  const LayerNumbers& layer = step.layers[l];
  for (std::int64_t o = 0; o < layer.dz.cols; ++o) {
    Sum bias;
    for (std::int64_t r = 0; r < step.batch(); ++r) bias.add(layer.dz.at(r, o));
    if (!layer.bias.empty()) all.compare("db", l, bias, layer.bias.gradient.at(0, o));
    for (std::int64_t k = 0; k < layer.x.cols; ++k) {
      Sum sum;
      for (std::int64_t r = 0; r < step.batch(); ++r) sum.add(layer.dz.at(r, o) * layer.x.at(r, k));
      all.compare("dW", l, sum, layer.weight.gradient.at(o, k));
    }
  }
  compare_updates(step, l, layer.weight, all);
  compare_updates(step, l, layer.bias, all);
}

}  // namespace

double activated(Activation activation, double z) {
  switch (activation) {
    case Activation::identity: return z;
    case Activation::relu: return std::max(z, 0.0);
    case Activation::gelu: return 0.5 * z * (1 + gelu_tanh(z));
    case Activation::tanh: return std::tanh(z);
    case Activation::sigmoid: return 1 / (1 + std::exp(-z));
  }
  return z;
}

double derivative(Activation activation, double z, double y) {
  switch (activation) {
    case Activation::identity: return 1;
    case Activation::relu: return y > 0 ? 1 : 0;
    case Activation::gelu: {
      const double t = gelu_tanh(z);
      return 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * kGeluFactor * (1 + 3 * kGeluCube * z * z);
    }
    case Activation::tanh: return 1 - y * y;
    case Activation::sigmoid: return y * (1 - y);
  }
  return 1;
}

double sum_before_activation(const LayerNumbers& layer, std::int64_t row, std::int64_t output) {
  return forward(layer, row, output).value;
}

double sum_of_next(const LayerNumbers& next, std::int64_t row, std::int64_t output) {
  double sum = 0;
  for (std::int64_t o = 0; o < next.dz.cols; ++o) sum += next.dz.at(row, o) * next.weight.before.at(o, output);
  return sum;
}

std::vector<double> softmax(const StepNumbers& step, std::int64_t row) {
  const Numbers& y = step.layers.back().y;
  double largest = y.at(row, 0), sum = 0;
  for (std::int64_t o = 0; o < y.cols; ++o) largest = std::max(largest, y.at(row, o));
  std::vector<double> p;
  for (std::int64_t o = 0; o < y.cols; ++o) sum += p.emplace_back(std::exp(y.at(row, o) - largest));
  for (double& value : p) value /= sum;
  return p;
}

std::int64_t require_equal_scalars(const StepNumbers& step) {
  Comparison all;
  for (std::size_t l = 0; l < step.layers.size(); ++l) {
    const LayerNumbers& layer = step.layers[l];
    const bool last = l + 1 == step.layers.size();
    for (std::int64_t r = 0; r < step.batch(); ++r) {
      for (std::int64_t o = 0; o < layer.y.cols; ++o) {
        Sum y = forward(layer, r, o);
        y.value = activated(layer.activation, y.value);
        all.compare("Y", l, y, layer.y.at(r, o));
        const Sum dz = last ? loss_gradient(step, r, o) : hidden_gradient(layer, step.layers[l + 1], r, o);
        all.compare("dZ", l, dz, layer.dz.at(r, o));
      }
    }
    compare_parameters(step, l, all);
  }
  all.compare("the loss", step.layers.size() - 1, loss(step), step.record.train_loss);
  return all.count;
}

}  // namespace recombine
