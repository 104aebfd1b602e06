#include "tests/support/reference_network.hpp"

#include <algorithm>
#include <cmath>

namespace recombine::test {

double activated(Activation activation, double x) {
  switch (activation) {
    case Activation::identity: return x;
    case Activation::relu: return std::max(x, 0.0);
    case Activation::gelu: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::tanh: return std::tanh(x);
    case Activation::sigmoid: return 1 / (1 + std::exp(-x));
  }
  return x;
}

std::vector<double> ReferenceNetwork::outputs(const std::vector<double>& x) const {
  std::vector<std::int64_t> widths = shape.hidden;
  widths.push_back(shape.outputs);
  std::vector<double> values = x;
  std::int64_t in = shape.inputs;
  const std::int64_t batch = static_cast<std::int64_t>(x.size()) / in;
  const double* at = parameters.data();
  for (std::size_t l = 0; l < widths.size(); ++l) {
    const std::int64_t out = widths[l];
    const double* const weight = at;
    const double* const bias = weight + in * out;
    at = bias + (shape.bias == Bias::per_output ? out : 0);
    std::vector<double> next(static_cast<std::size_t>(batch * out));
    for (std::int64_t b = 0; b < batch; ++b) {
      for (std::int64_t o = 0; o < out; ++o) {
        double sum = shape.bias == Bias::per_output ? bias[o] : 0;
        for (std::int64_t i = 0; i < in; ++i) sum += values[static_cast<std::size_t>(b * in + i)] * weight[o * in + i];
        const bool last = l + 1 == widths.size();
        next[static_cast<std::size_t>(b * out + o)] = last ? sum : activated(shape.activation, sum);
      }
    }
    values = next;
    in = out;
  }
  return values;
}

double ReferenceNetwork::mean_loss(const std::vector<double>& x, const std::vector<double>& answers) const {
  const std::vector<double> y = outputs(x);
  const auto out = static_cast<std::size_t>(shape.outputs);
  const std::size_t batch = y.size() / out;
  double sum = 0;
  for (std::size_t b = 0; b < batch; ++b) {
    const double* const row = y.data() + b * out;
    if (loss == LossKind::mse) {
      for (std::size_t o = 0; o < out; ++o)
        sum += std::pow(row[o] - answers[b * out + o], 2) / static_cast<double>(out);
    } else {
      double exponentials = 0;
      for (std::size_t o = 0; o < out; ++o) exponentials += std::exp(row[o]);
      sum += std::log(exponentials) - row[static_cast<std::size_t>(answers[b])];
    }
  }
  return sum / static_cast<double>(batch);
}

std::vector<double> ReferenceNetwork::gradient(const std::vector<double>& x, const std::vector<double>& answers) const {
  static constexpr double kStep = 1e-6;
  ReferenceNetwork moved = *this;
  std::vector<double> slopes;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    moved.parameters[p] = parameters[p] + kStep;
    const double up = moved.mean_loss(x, answers);
    moved.parameters[p] = parameters[p] - kStep;
    const double down = moved.mean_loss(x, answers);
    moved.parameters[p] = parameters[p];
    slopes.push_back((up - down) / (2 * kStep));
  }
  return slopes;
}

}  // namespace recombine::test
