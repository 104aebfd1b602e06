#include "src/train/explain/matrix_text.hpp"

#include <fmt/format.h>

#include "src/train/explain/scalar_text.hpp"
#include "src/train/explain/written.hpp"

namespace recombine {

namespace {

constexpr std::string_view kIndent = "      ";

class MatrixText {
 public:
  explicit MatrixText(const StepNumbers& step) : step_(step) {}

  std::string text() {
    text_ = "  The same as matrices [rows,columns], in 4 digits; ^T is the transpose:\n";
    for (std::size_t l = 0; l < step_.layers.size(); ++l) forward(l);
    loss_gradient();
    for (std::size_t l = step_.layers.size(); l-- > 0;) {
      gradient(l);
      if (l > 0) back(l);
    }
    for (std::size_t l = 0; l < step_.layers.size(); ++l) update(l);
    if (!step_.plain_update())
      text_ += "    (--optimizer sgd, without decay and clipping, shows the update by numbers.)\n";
    return text_;
  }

 private:
  /// "layer 2: ", or nothing if there is one layer.
  std::string of_layer(std::size_t l) const { return step_.layers.size() == 1 ? "" : fmt::format("layer {}: ", l + 1); }
  bool linear(std::size_t l) const { return step_.layers[l].activation == Activation::identity; }
  std::string gradient_name(std::size_t l) const { return linear(l) ? "dY" : "dZ"; }

  void forward(std::size_t l) {
    const LayerNumbers& layer = step_.layers[l];
    const std::string sum = fmt::format("X {} W^T {}{}", shape_of(layer.x), shape_of(transposed(layer.weight.before)),
                                        layer.bias.empty() ? "" : " + b");
    text_ += fmt::format("    {}Y {} = {}{}{}\n", of_layer(l), shape_of(layer.y),
                         linear(l) ? sum : fmt::format("{}({})", function_name(layer.activation), sum),
                         l > 0 || layer.bias.empty() ? "" : " (b is added to each row)",
                         l == 0 ? "" : fmt::format("; X is Y of layer {}", l));
    std::vector<EquationPart> parts = {
        {"", grid(layer.y)},
        {linear(l) ? " = " : fmt::format(" = {}(", function_name(layer.activation)), grid(layer.x)},
        {" x ", grid(transposed(layer.weight.before))}};
    if (!layer.bias.empty()) parts.push_back({" + ", grid(layer.bias.before)});
    if (!linear(l)) parts.push_back({")", {}});
    text_ += equation(parts, kIndent);
  }

  void loss_gradient() {
    const std::int64_t terms = step_.loss == LossKind::mse ? step_.batch() * step_.outputs() : step_.batch();
    const std::string mean = terms == 1 ? "" : fmt::format(" / {}", terms);
    const LayerNumbers& last = step_.layers.back();
    if (step_.loss == LossKind::mse) {
      text_ += fmt::format("    dY {} = 2 (Y - T){}; T has the targets\n", shape_of(last.dz), mean);
      text_ += equation({{"", grid(last.dz)}, {" = 2 (", grid(last.y)}, {" - ", grid(step_.targets)}, {")" + mean, {}}},
                        kIndent);
      return;
    }
    text_ += fmt::format("    dY {} = (softmax(Y) - T){}; T has 1 at the row's class\n", shape_of(last.dz), mean);
    text_ += equation(
        {{"", grid(last.dz)}, {" = (softmax ", grid(last.y)}, {" - ", grid(step_.targets)}, {")" + mean, {}}}, kIndent);
  }

  void gradient(std::size_t l) {
    const LayerNumbers& layer = step_.layers[l];
    const std::string name = gradient_name(l);
    text_ += fmt::format("    {}dW {} = {}^T {} X {}\n", of_layer(l), shape_of(layer.weight.gradient), name,
                         shape_of(transposed(layer.dz)), shape_of(layer.x));
    text_ += equation({{"", grid(layer.weight.gradient)}, {" = ", grid(transposed(layer.dz))}, {" x ", grid(layer.x)}},
                      kIndent);
    if (layer.bias.empty()) return;
    text_ +=
        fmt::format("    {}db {} = the sums of the columns of {}\n", of_layer(l), shape_of(layer.bias.gradient), name);
    text_ += side_by_side({grid(layer.bias.gradient)}, kIndent);
  }

  /// From layer l to the layer before it.
  void back(std::size_t l) {
    const LayerNumbers& layer = step_.layers[l];
    const LayerNumbers& before = step_.layers[l - 1];
    const std::string sum = fmt::format("{} {} W {} of layer {}", gradient_name(l), shape_of(layer.dz),
                                        shape_of(layer.weight.before), l + 1);
    const std::string_view function = function_name(before.activation);
    text_ += linear(l - 1) ? fmt::format("    {}dY {} = {}\n", of_layer(l - 1), shape_of(before.dz), sum)
                           : fmt::format("    {}dZ {} = {}, times {}'(Z) of each\n", of_layer(l - 1),
                                         shape_of(before.dz), sum, function);
    std::vector<EquationPart> parts = {
        {"", grid(before.dz)}, {linear(l - 1) ? " = " : " = (", grid(layer.dz)}, {" x ", grid(layer.weight.before)}};
    if (!linear(l - 1)) parts.push_back({fmt::format(") times {}'(Z)", function), {}});
    text_ += equation(parts, kIndent);
    if (before.activation == Activation::relu) text_ += "      relu'(Z) is 1 where Y > 0, else 0\n";
  }

  std::string optimizer() const {
    const OptimizerOptions& options = step_.optimizer;
    std::string name = "sgd";
    if (options.kind == OptimizerKind::momentum) name = "momentum (a running sum of dW)";
    if (options.kind == OptimizerKind::adamw) name = "adamw (running means of dW, dW^2)";
    if (options.weight_decay > 0) name += ", --weight-decay";
    if (options.clip_norm > 0) name += ", --clip-norm";
    return name;
  }

  void update(std::size_t l) {
    const LayerNumbers& layer = step_.layers[l];
    const std::string lr = number_text(step_.record.lr);
    if (step_.plain_update()) {
      text_ += fmt::format("    {}W {} = W - {} dW\n", of_layer(l), shape_of(layer.weight.after), lr);
    } else {
      text_ += fmt::format("    {}W {} by {}\n", of_layer(l), shape_of(layer.weight.after), optimizer());
    }
    changed(layer.weight);
    if (layer.bias.empty()) return;
    text_ += fmt::format("    {}b {} likewise\n", of_layer(l), shape_of(layer.bias.after));
    changed(layer.bias);
  }

  void changed(const ParameterNumbers& parameter) {
    if (step_.plain_update()) {
      text_ += equation({{"", grid(parameter.after)},
                         {" = ", grid(parameter.before)},
                         {fmt::format(" - {} ", number_text(step_.record.lr)), grid(parameter.gradient)}},
                        kIndent);
    } else {
      text_ += equation({{"", grid(parameter.before)}, {" becomes ", grid(parameter.after)}}, kIndent);
    }
  }

  const StepNumbers& step_;
  std::string text_;
};

}  // namespace

std::string matrix_text(const StepNumbers& step) { return MatrixText(step).text(); }

}  // namespace recombine
