#include "src/train/explain/scalar_text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "src/train/explain/check_step.hpp"
#include "src/train/explain/written.hpp"
#include "src/train/options.hpp"

namespace recombine {

namespace {

/// An output of a layer, counted from 0, and one of its inputs.
struct Element {
  std::int64_t output = 0, input = 0;
};

class ScalarText {
 public:
  explicit ScalarText(const StepNumbers& step)
      : step_(step), small_(step.layers.size() == 1 && step.outputs() == 1), indent_(small_ ? 4 : 6) {}

  std::string every_row() {
    const Element only;
    for (std::int64_t r = 0; r < step_.batch(); ++r) {
      const std::string row = fmt::format("{:<10}", fmt::format("row {}", step_.rows[static_cast<std::size_t>(r)] + 1));
      sum("    " + row + "y' = ", step_.layers[0], r, only.output);
      loss_of(r, only, labelled("", ""));
    }
    const LayerNumbers& layer = step_.layers[0];
    for (std::int64_t k = 0; k < layer.x.cols; ++k) gradient(layer, {0, k}, k == 0 ? "gradient" : "");
    bias_gradient(layer, only);
    for (std::int64_t k = 0; k < layer.x.cols; ++k) update(layer, {0, k}, k == 0 ? "update" : "");
    bias_update(layer, only);
    text_ += loss_text();
    return text_;
  }

  std::string one_element() {
    const std::size_t last = step_.layers.size() - 1;
    for (std::size_t l = 0; l <= last; ++l) {
      const LayerNumbers& layer = step_.layers[l];
      const Element at = element(l);
      heading(l, at);
      sum(labelled("forward", l == last ? "y' = " : "z = "), layer, 0, at.output);
      if (l != last) activation(layer, at);
    }
    for (std::size_t l = last + 1; l-- > 0;) {
      const LayerNumbers& layer = step_.layers[l];
      const Element at = element(l);
      if (l != last) heading(l, at);
      if (l == last) {
        loss_of(0, at, labelled("", ""));
      } else {
        back(layer, step_.layers[l + 1], at);
      }
      gradient(layer, at, "gradient");
      bias_gradient(layer, at);
      update(layer, at, "update");
      bias_update(layer, at);
    }
    text_ += fmt::format("    the loss, over the whole batch: {}\n", number_text(step_.record.train_loss));
    return text_;
  }

 private:
  std::string labelled(std::string_view label, std::string_view head) const {
    return fmt::format("{:<{}}{:<10}{}", "", indent_, label, head);
  }

  void heading(std::size_t l, const Element& at) {
    const bool last = l + 1 == step_.layers.size();
    text_ +=
        fmt::format("    {}, output {}:\n",
                    step_.layers.size() == 1 ? "the layer" : fmt::format("layer {}{}", l + 1, last ? ", the last" : ""),
                    at.output + 1);
  }

  /// The output to show: of the last layer the target's class; of a hidden layer the first one with a gradient.
  Element element(std::size_t l) const {
    const LayerNumbers& layer = step_.layers[l];
    Element at;
    const auto first = [](std::int64_t count, const auto& holds) {
      for (std::int64_t n = 0; n < count; ++n) {
        if (holds(n)) return n;
      }
      return std::int64_t{0};
    };
    const bool last = l + 1 == step_.layers.size();
    at.output = first(layer.dz.cols, [&](std::int64_t o) {
      if (!last) return layer.dz.at(0, o) != 0;
      return step_.loss == LossKind::mse || step_.targets.at(0, o) == 1;
    });
    at.input = first(layer.x.cols, [&](std::int64_t k) { return layer.weight.gradient.at(at.output, k) != 0; });
    return at;
  }

  std::string weight_name(const Element& at) const {
    return small_ ? fmt::format("w{}", at.input + 1) : fmt::format("w{}{}", at.output + 1, at.input + 1);
  }
  std::string bias_name(const Element& at) const { return small_ ? "b" : fmt::format("b{}", at.output + 1); }

  void sum(const std::string& head, const LayerNumbers& layer, std::int64_t row, std::int64_t output) {
    std::vector<std::string> terms;
    for (std::int64_t k = 0; k < layer.x.cols; ++k) {
      terms.push_back(product(layer.x.at(row, k), layer.weight.before.at(output, k)));
    }
    if (!layer.bias.empty()) terms.push_back(factor(layer.bias.before.at(0, output)));
    const bool linear = layer.activation == Activation::identity;
    const double value = linear ? layer.y.at(row, output) : sum_before_activation(layer, row, output);
    text_ += written_sum(head, terms, " = " + number_text(value));
  }

  void activation(const LayerNumbers& layer, const Element& at) {
    if (layer.activation == Activation::identity) return;
    text_ +=
        fmt::format("{}y = {}({}) = {}\n", labelled("", ""), function_name(layer.activation),
                    number_text(sum_before_activation(layer, 0, at.output)), number_text(layer.y.at(0, at.output)));
  }

  void loss_of(std::int64_t row, const Element& at, const std::string& indent) {
    if (step_.loss == LossKind::mse) {
      squared_error(row, at, indent);
    } else {
      cross_entropy(row, at, indent);
    }
  }

  void squared_error(std::int64_t row, const Element& at, const std::string& indent) {
    const double y = step_.layers.back().y.at(row, at.output), target = step_.targets.at(row, at.output);
    const std::int64_t terms = step_.batch() * step_.outputs();
    text_ += fmt::format("{}error = y - y' = {} - {} = {}\n", indent, number_text(target), factor(y),
                         number_text(target - y));
    text_ += fmt::format("{}dLoss/dy' = -2*{}{} = {}\n", indent, factor(target - y),
                         terms == 1 ? "" : fmt::format(" / {}", terms),
                         number_text(step_.layers.back().dz.at(row, at.output)));
  }

  void cross_entropy(std::int64_t row, const Element& at, const std::string& indent) {
    const LayerNumbers& layer = step_.layers.back();
    std::vector<std::string> terms;
    for (std::int64_t o = 0; o < layer.y.cols; ++o)
      terms.push_back(fmt::format("exp({})", number_text(layer.y.at(row, o))));
    const std::vector<double> probabilities = softmax(step_, row);
    const double p = probabilities[static_cast<std::size_t>(at.output)];
    terms.back() += ")";
    text_ += written_sum(fmt::format("{}p{} = {} / (", indent, at.output + 1,
                                     fmt::format("exp({})", number_text(layer.y.at(row, at.output)))),
                         terms, fmt::format(" = {}", number_text(p)));
    text_ += fmt::format("{}loss of the row = -ln({}) = {}\n", indent, number_text(p), number_text(-std::log(p)));
    text_ += fmt::format("{}dLoss/dy' = (p{} - 1){} = {}\n", indent, at.output + 1,
                         step_.batch() == 1 ? "" : fmt::format(" / {}", step_.batch()),
                         number_text(layer.dz.at(row, at.output)));
  }

  /// From the next layer to dLoss/dz of a hidden one.
  void back(const LayerNumbers& layer, const LayerNumbers& next, const Element& at) {
    std::vector<std::string> terms;
    for (std::int64_t o = 0; o < next.dz.cols; ++o) {
      terms.push_back(product(next.dz.at(0, o), next.weight.before.at(o, at.output)));
    }
    const bool linear = layer.activation == Activation::identity;
    const double dz = layer.dz.at(0, at.output);
    const double dy = sum_of_next(next, 0, at.output);
    text_ += written_sum(labelled("backward", linear ? "dLoss/dz = " : "dLoss/dy = "), terms,
                         " = " + number_text(linear ? dz : dy));
    if (linear) return;
    const double slope =
        derivative(layer.activation, sum_before_activation(layer, 0, at.output), layer.y.at(0, at.output));
    text_ += fmt::format("{}dLoss/dz = dLoss/dy * {}'(z) = {} = {}\n", labelled("", ""),
                         function_name(layer.activation), product(dy, slope), number_text(dz));
  }

  void gradient(const LayerNumbers& layer, const Element& at, std::string_view label) {
    std::vector<std::string> terms;
    for (std::int64_t r = 0; r < step_.batch(); ++r) {
      terms.push_back(product(layer.dz.at(r, at.output), layer.x.at(r, at.input)));
    }
    text_ += written_sum(labelled(label, fmt::format("dLoss/d{} = ", weight_name(at))), terms,
                         " = " + number_text(layer.weight.gradient.at(at.output, at.input)));
  }

  void bias_gradient(const LayerNumbers& layer, const Element& at) {
    if (layer.bias.empty()) return;
    std::vector<std::string> terms;
    for (std::int64_t r = 0; r < step_.batch(); ++r) terms.push_back(factor(layer.dz.at(r, at.output)));
    text_ += written_sum(labelled("", fmt::format("dLoss/d{} = ", bias_name(at))), terms,
                         terms.size() == 1 ? "" : " = " + number_text(layer.bias.gradient.at(0, at.output)));
  }

  void update(const LayerNumbers& layer, const Element& at, std::string_view label) {
    const ParameterNumbers& w = layer.weight;
    change(labelled(label, weight_name(at)), w.before.at(at.output, at.input), w.gradient.at(at.output, at.input),
           w.after.at(at.output, at.input));
  }
  void bias_update(const LayerNumbers& layer, const Element& at) {
    if (layer.bias.empty()) return;
    const ParameterNumbers& b = layer.bias;
    change(labelled("", bias_name(at)), b.before.at(0, at.output), b.gradient.at(0, at.output),
           b.after.at(0, at.output));
  }
  void change(const std::string& head, double before, double gradient, double after) {
    text_ += step_.plain_update() ? fmt::format("{} = {} - {} = {}\n", head, number_text(before),
                                                product(step_.record.lr, gradient), number_text(after))
                                  : fmt::format("{}: {} becomes {}\n", head, number_text(before), number_text(after));
  }

  std::string loss_text() const {
    std::vector<std::string> terms;
    for (std::int64_t r = 0; r < step_.batch(); ++r) {
      terms.push_back(fmt::format("{}^2", factor(step_.targets.at(r, 0) - step_.layers.back().y.at(r, 0))));
    }
    const bool one = terms.size() == 1;
    if (!one) terms.back() += ")";
    return written_sum(
        labelled("loss", one ? "" : "("), terms,
        fmt::format("{} = {}", one ? "" : fmt::format(" / {}", step_.batch()), number_text(step_.record.train_loss)));
  }

  const StepNumbers& step_;
  bool small_;  ///< one output, no hidden layer
  int indent_;
  std::string text_;
};

}  // namespace

std::string_view function_name(Activation activation) { return name_of(activation); }

std::string conventions(const StepNumbers& step) {
  std::string text = "x: inputs, w: weights, b: biases, y': an output of the network, y: its target\n";
  if (step.layers.back().bias.empty()) text = "x: inputs, w: weights, y': an output of the network, y: its target\n";
  if (step.loss == LossKind::mse) {
    text += "loss = the mean of (y' - y)^2 over all rows and outputs of the batch\n";
  } else {
    text +=
        "p = softmax(y') = exp(y') / the sum of exp(y') over the outputs of a row\n"
        "loss = the mean of -ln(p of the row's class) over the rows of the batch\n";
  }
  return text + "gradient = dLoss/dw: the change of the loss with w; an update goes against it\n";
}

std::string scalar_text(const StepNumbers& step) {
  const bool small = step.layers.size() == 1 && step.outputs() == 1 && step.loss == LossKind::mse;
  if (small) return "  One number at a time:\n" + ScalarText(step).every_row();
  return fmt::format("  One number of each matrix, for row {}:\n", step.rows.front() + 1) +
         ScalarText(step).one_element();
}

}  // namespace recombine
