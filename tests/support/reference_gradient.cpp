#include "tests/support/reference_gradient.hpp"

#include <algorithm>
#include <cmath>

namespace recombine::test {

namespace {

/// Values of a batch, and the magnitudes of the terms from which they were computed: both [batch, width].
struct Values {
  std::vector<double> value, scale;
};

double derivative(Activation activation, double z) {
  static constexpr double kStep = 1e-6;
  if (activation == Activation::relu) return z > 0 ? 1 : 0;
  return (activated(activation, z + kStep) - activated(activation, z - kStep)) / (2 * kStep);
}

struct Layer {
  std::size_t in, out, weight, bias;  ///< weight, bias: index of the first parameter
  bool has_bias, is_last;
};

std::vector<Layer> layers_of(const ModelShape& shape) {
  std::vector<Layer> layers;
  std::size_t at = 0;
  for (std::size_t l = 0; l < shape.layers(); ++l) {
    const auto in = static_cast<std::size_t>(shape.inputs_of(l));
    const auto out = static_cast<std::size_t>(shape.outputs_of(l));
    const bool has_bias = shape.bias == Bias::per_output;
    layers.push_back({in, out, at, at + in * out, has_bias, l + 1 == shape.layers()});
    at += in * out + (has_bias ? out : 0);
  }
  return layers;
}

/// Z = X W^T + bias
Values before_activation(const Layer& layer, const std::vector<double>& parameters, const Values& x,
                         std::size_t batch) {
  Values z{std::vector<double>(batch * layer.out), std::vector<double>(batch * layer.out)};
  for (std::size_t b = 0; b < batch; ++b) {
    for (std::size_t o = 0; o < layer.out; ++o) {
      const double bias = layer.has_bias ? parameters[layer.bias + o] : 0;
      double sum = bias, scale = std::abs(bias);
      for (std::size_t i = 0; i < layer.in; ++i) {
        const double w = parameters[layer.weight + o * layer.in + i];
        sum += x.value[b * layer.in + i] * w;
        scale += x.scale[b * layer.in + i] * std::abs(w);
      }
      z.value[b * layer.out + o] = sum;
      z.scale[b * layer.out + o] = scale;
    }
  }
  return z;
}

/// Sets `gradient` to dLoss/dY, and returns the loss.
double output_gradient(const ReferenceNetwork& network, const Values& y, const std::vector<double>& answers,
                       std::size_t batch, Values& gradient) {
  const auto out = static_cast<std::size_t>(network.shape.outputs);
  const double share = 1 / static_cast<double>(batch);
  gradient = {std::vector<double>(batch * out), std::vector<double>(batch * out)};
  double loss = 0;
  for (std::size_t b = 0; b < batch; ++b) {
    const double* row = y.value.data() + b * out;
    const double* scale = y.scale.data() + b * out;
    if (network.loss == LossKind::mse) {
      for (std::size_t o = 0; o < out; ++o) {
        const double error = row[o] - answers[b * out + o];
        const double factor = 2 * share / static_cast<double>(out);
        loss += share * error * error / static_cast<double>(out);
        gradient.value[b * out + o] = factor * error;
        gradient.scale[b * out + o] = factor * (scale[o] + std::abs(answers[b * out + o]));
      }
      continue;
    }
    double sum = 0;
    for (std::size_t o = 0; o < out; ++o) sum += std::exp(row[o]);
    const auto label = static_cast<std::size_t>(answers[b]);
    loss += share * (std::log(sum) - row[label]);
    const double largest = *std::max_element(scale, scale + out);  // an error of a logit changes all probabilities
    for (std::size_t o = 0; o < out; ++o) {
      const double probability = std::exp(row[o]) / sum;
      gradient.value[b * out + o] = share * (probability - (o == label ? 1 : 0));
      gradient.scale[b * out + o] = share * (probability * (2 + 2 * largest) + (o == label ? 1 : 0));
    }
  }
  return loss;
}

/// dW += dZ^T X, dBias += the columns of dZ; returns dX = dZ W.
Values backward(const Layer& layer, const std::vector<double>& parameters, const Values& dz, const Values& x,
                std::size_t batch, ReferenceGradient& gradient) {
  Values dx{std::vector<double>(batch * layer.in), std::vector<double>(batch * layer.in)};
  for (std::size_t b = 0; b < batch; ++b) {
    for (std::size_t o = 0; o < layer.out; ++o) {
      const double d = dz.value[b * layer.out + o];
      const double scale = dz.scale[b * layer.out + o];
      if (layer.has_bias) {
        gradient.values[layer.bias + o] += d;
        gradient.scales[layer.bias + o] += scale;
      }
      for (std::size_t i = 0; i < layer.in; ++i) {
        const std::size_t p = layer.weight + o * layer.in + i;
        gradient.values[p] += d * x.value[b * layer.in + i];
        gradient.scales[p] += scale * x.scale[b * layer.in + i];
        dx.value[b * layer.in + i] += d * parameters[p];
        dx.scale[b * layer.in + i] += scale * std::abs(parameters[p]);
      }
    }
  }
  return dx;
}

}  // namespace

ReferenceGradient backpropagated(const ReferenceNetwork& network, const std::vector<double>& x,
                                 const std::vector<double>& answers) {
  const std::vector<Layer> layers = layers_of(network.shape);
  const std::size_t batch = x.size() / static_cast<std::size_t>(network.shape.inputs);
  std::vector<Values> inputs = {{x, x}}, sums;  // of each layer: X, and Z before the activation
  for (double& scale : inputs[0].scale) scale = std::abs(scale);
  for (const Layer& layer : layers) {
    sums.push_back(before_activation(layer, network.parameters, inputs.back(), batch));
    Values y = sums.back();
    if (!layer.is_last) {
      for (double& value : y.value) value = activated(network.shape.activation, value);
    }
    inputs.push_back(std::move(y));
  }
  const auto parameters = network.parameters.size();
  ReferenceGradient gradient{0, std::vector<double>(parameters), std::vector<double>(parameters)};
  Values dy;
  gradient.loss = output_gradient(network, inputs.back(), answers, batch, dy);
  for (std::size_t l = layers.size(); l-- > 0;) {
    if (!layers[l].is_last) {
      for (std::size_t e = 0; e < dy.value.size(); ++e) {
        const double slope = derivative(network.shape.activation, sums[l].value[e]);
        // An error of Z changes a curved activation's slope.
        const double curved = network.shape.activation == Activation::relu ? 0 : sums[l].scale[e];
        dy.scale[e] = dy.scale[e] * std::max(1.0, std::abs(slope)) + std::abs(dy.value[e]) * curved;
        dy.value[e] *= slope;
      }
    }
    dy = backward(layers[l], network.parameters, dy, inputs[l], batch, gradient);
  }
  return gradient;
}

}  // namespace recombine::test
