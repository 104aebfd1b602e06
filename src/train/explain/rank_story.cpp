#include "src/train/explain/rank_story.hpp"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "src/train/explain/scalar_text.hpp"
#include "src/train/explain/written.hpp"

namespace recombine {

namespace {

constexpr std::string_view kIndent = "                ";
constexpr std::string_view kNarrow = "          ";  // for equations that are wide

/// Sums that the trainer makes for its reports: not part of the step.
constexpr std::array<std::string_view, 2> kReports = {"sum losses", "compare replicas"};

class RankStory {
 public:
  RankStory(const RankContext& context, const Model& model) : context_(context), model_(model) {}

  std::string tell(const std::vector<RecordedStep>& steps) {
    text_ = fmt::format("    rank {} (i {}, j {}, k {})\n", context_.mesh().rank_of(context_.coord()), at(Axis::i),
                        at(Axis::j), at(Axis::k));
    for (std::size_t l = 0; l < layers(); ++l) blocks(l);
    for (const RecordedStep& step : steps) {
      if (step.kind == RecordedStep::Kind::product) {
        product(step);
      } else {
        collective(step.collective);
      }
    }
    for (std::size_t l = 0; l < layers(); ++l) update(l);
    return text_;
  }

 private:
  std::size_t layers() const { return model_.shape().layers(); }
  int at(Axis axis) const { return context_.coord()[axis]; }
  int parts(Axis axis) const { return context_.mesh().parts(axis); }
  std::string layer_text(std::size_t l) const { return layers() == 1 ? "" : fmt::format("layer {}: ", l + 1); }

  /// "X12": the block of X at this rank's coordinates along two axes, from 1.
  std::string name(std::string_view matrix, Axis rows, Axis cols) const {
    const bool digits = std::max(parts(rows), parts(cols)) < 10;
    return fmt::format("{}{}{}{}", matrix, 1 + at(rows), digits ? "" : ",", 1 + at(cols));
  }
  std::string y_name(const LayerMatrices& layer) const { return name("Y", Axis::i, layer.axes.out); }
  std::string dz_name(const LayerMatrices& layer) const {
    return name(layer.activation == Activation::identity ? "dY" : "dZ", Axis::i, layer.axes.out);
  }
  std::string w_name(const LayerMatrices& layer, std::string_view matrix = "W") const {
    return name(matrix, layer.axes.out, layer.axes.in);
  }

  std::string b_name(const LayerMatrices& layer, std::string_view vector) const {
    return fmt::format("{}{}", vector, 1 + at(layer.axes.out));
  }

  void line(std::string_view label, const std::string& text) { text_ += fmt::format("      {:<10}{}\n", label, text); }
  void add(const std::vector<EquationPart>& parts) {
    std::size_t width = kIndent.size();
    for (const EquationPart& part : parts) width += part.before.size() + width_of(part.block);
    text_ += equation(parts, width <= kLineWidth ? kIndent : kNarrow);
  }
  static const Block& only(const DistMatrix& matrix) { return matrix.blocks().front(); }
  Numbers numbers(const DistMatrix& matrix) const { return numbers_of(context_, only(matrix).view); }

  void blocks(std::size_t l) {
    const LayerMatrices layer = model_.layer(l);
    const Block& x = only(layer.x);
    const Block& w = only(layer.weight);
    if (l == 0) {
      const std::string name_of_x = name("X", Axis::i, layer.axes.in);
      line("has", x.rows.size() == 0 ? fmt::format("{}: no row of the batch", name_of_x)
                                     : fmt::format("{}: {} of the batch, {}", name_of_x, range_text("row", x.rows),
                                                   range_text("input", x.cols)));
    }
    const std::string text = layer_text(l) + w_name(layer);
    line("", w.rows.size() == 0
                 ? text + ": no output, so nothing to compute"
                 : fmt::format("{}: {}, {}", text, range_text("output", w.rows), range_text("input", w.cols)));
  }

  /// "", or that the result is one term of a sum.
  std::string term(Axis axis) const {
    return parts(axis) == 1 ? "" : fmt::format(", one of {} terms of a sum over {}", parts(axis), name_of(axis));
  }

  void product(const RecordedStep& step) {
    if (step.place.what.layer < 0 || step.sum.values.empty()) return;
    const auto l = static_cast<std::size_t>(step.place.what.layer);
    const LayerMatrices layer = model_.layer(l);
    const std::string_view what = step.place.what.name;
    std::string label = "forward", text;
    Axis summed = layer.axes.in;
    std::string before = " = ", after;
    if (what == "Y") {
      text = fmt::format("{} = {} {}^T", y_name(layer), name("X", Axis::i, layer.axes.in), w_name(layer));
      if (parts(summed) == 1) finished_forward(layer, text, before, after);
    } else if (what == "dX") {
      label = "backward";
      summed = layer.axes.out;
      text = fmt::format("{} = {} {}", name("dX", Axis::i, layer.axes.in), dz_name(layer), w_name(layer));
    } else {
      label = "gradient";
      summed = Axis::i;
      text = fmt::format("{} = {}^T {}", w_name(layer, "dW"), dz_name(layer), name("X", Axis::i, layer.axes.in));
    }
    if (step.place.k.size() == 0) text = fmt::format("{} = 0", text.substr(0, text.find(' ')));
    line(label, layer_text(l) + text + term(summed));
    if (step.place.k.size() == 0) return;
    const bool is_first = l == 0;  // its X are inputs of the network, not sums
    const Numbers a = what == "Y" && is_first ? step.a : rounded(step.a);
    const Numbers b = what == "dW" && !is_first ? rounded(step.b) : step.b;
    add({{"", grid(rounded(step.sum))}, {before, grid(a)}, {" x ", grid(b)}, {after, {}}});
  }

  /// A product whose result is complete already has its bias and activation.
  static void finished_forward(const LayerMatrices& layer, std::string& text, std::string& before, std::string& after) {
    const std::string end = layer.bias ? " + b" : "";
    if (layer.activation == Activation::identity) {
      text += end;
      after = end;
      return;
    }
    const std::string_view function = function_name(layer.activation);
    const std::size_t equals = text.find("= ") + 2;
    text = fmt::format("{}{}({}{})", text.substr(0, equals), function, text.substr(equals), end);
    before = fmt::format(" = {}(", function);
    after = fmt::format("{})", end);
  }

  void collective(const JournalEntry& entry) {
    if (entry.bytes == 0 || parts(entry.axis) == 1) return;
    if (std::ranges::find(kReports, entry.what.name) != kReports.end()) return;
    std::string operation(entry.operation);
    std::ranges::replace(operation, '_', '-');
    line(
        entry.what.name == std::string_view("sum gradient") ? "sum dW" : short_name(entry),
        fmt::format("{} of {} bytes along {} with {}", operation, entry.bytes, name_of(entry.axis), peers(entry.axis)));
    results(entry);
  }
  static std::string_view short_name(const JournalEntry& entry) {
    if (entry.what.name == std::string_view("gather softmax")) return "softmax";
    if (entry.what.name == std::string_view("sum gradient norm")) return "norm";
    return entry.what.name;
  }

  std::string peers(Axis axis) const {
    std::vector<int> ranks;
    for (int part = 0; part < parts(axis); ++part) {
      if (part != at(axis)) ranks.push_back(context_.mesh().rank_of(context_.coord().with(axis, part)));
    }
    return fmt::format("rank{} {}", ranks.size() == 1 ? "" : "s", fmt::join(ranks, ", "));
  }

  /// What this rank has after a sum.
  void results(const JournalEntry& entry) {
    const std::string_view what = entry.what.name;
    if (what == "sum gradient") {
      for (std::size_t l = 0; l < layers(); ++l) {
        const LayerMatrices layer = model_.layer(l);
        if (only(layer.weight).view.rows * only(layer.weight).view.cols == 0) continue;
        show(layer_text(l) + w_name(layer, "dW"), layer.weight_gradient);
        if (layer.bias) show(layer_text(l) + b_name(layer, "db"), *layer.bias_gradient);
      }
    }
    if (what == "sum Y") {
      const LayerMatrices layer = model_.layer(static_cast<std::size_t>(entry.what.layer));
      const std::string_view function = function_name(layer.activation);
      const bool linear = layer.activation == Activation::identity;
      show(fmt::format("{}{}{}{}", y_name(layer), linear ? "" : fmt::format(" = {}(the sum", function),
                       layer.bias ? (linear ? " = the sum + b" : " + b") : "", linear ? "" : ")"),
           layer.y);
    }
    if (what == "sum dX") {
      const LayerMatrices layer = model_.layer(static_cast<std::size_t>(entry.what.layer) - 1);
      const bool linear = layer.activation == Activation::identity;
      show(dz_name(layer) + (linear ? "" : fmt::format(" = the sum times {}'(Z)", function_name(layer.activation))),
           layer.dz);
    }
  }

  void show(const std::string& name, const DistMatrix& matrix) {
    const TextBlock block = grid(rounded(numbers(matrix)));
    if (name.size() + width_of(block) + kIndent.size() + 3 <= kLineWidth) {
      text_ += side_by_side({{name + " = "}, block}, kIndent);
    } else {
      text_ += fmt::format("{}{} =\n", kIndent, name) + side_by_side({block}, kIndent);
    }
  }

  void update(std::size_t l) {
    const LayerMatrices layer = model_.layer(l);
    const Block& block = only(layer.weight);
    if (block.view.rows * block.view.cols == 0) return;
    line("update",
         fmt::format("{}new {}{}{}", layer_text(l), w_name(layer), layer.bias ? " and " + b_name(layer, "b") : "",
                     parts(Axis::i) > 1 ? fmt::format(", the same on {}", peers(Axis::i)) : ""));
    std::vector<EquationPart> parts = {{"", grid(numbers(layer.weight))}};
    if (layer.bias) parts.push_back({"   ", grid(numbers(*layer.bias))});
    add(parts);
  }

  const RankContext& context_;
  const Model& model_;
  std::string text_;
};

}  // namespace

std::string rank_story(const RankContext& context, const Model& model, const std::vector<RecordedStep>& steps) {
  return RankStory(context, model).tell(steps);
}

}  // namespace recombine
