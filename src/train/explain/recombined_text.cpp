#include "src/train/explain/recombined_text.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <tuple>

#include <fmt/format.h>

#include "src/explain/same_numbers.hpp"
#include "src/train/explain/check_step.hpp"
#include "src/train/explain/scalar_text.hpp"
#include "src/train/explain/written.hpp"

namespace recombine {

namespace {

/// One block of the result of a layer's product, at its place in the grid of blocks.
struct BlockKey {
  std::size_t layer = 0;
  std::string what;  ///< "Y", "dX", "dW"
  int row = 0, col = 0;
};

/// What a rank adds to the block.
struct Term {
  BlockKey key;
  int part = 0;  ///< of the contracted dimension
  std::int64_t first_row = 0, first_col = 0;
  Numbers numbers;
};

struct ProductAxes {
  Axis row, col, contracted;
};
ProductAxes axes_of_product(std::string_view what, const LayerAxes& layer) {
  if (what == "Y") return {Axis::i, layer.out, layer.in};
  if (what == "dX") return {Axis::i, layer.in, layer.out};
  return {layer.out, layer.in, Axis::i};
}

Term read_term(const std::string& line) {
  std::istringstream in(line);
  Term term;
  in >> term.key.layer >> term.key.what >> term.key.row >> term.key.col >> term.part >> term.first_row >>
      term.first_col >> term.numbers.rows >> term.numbers.cols;
  for (double value = 0; in >> value;) term.numbers.values.push_back(value);
  return term;
}

/// The blocks with their terms: forward from the first layer on, then backward from the last layer on.
std::vector<std::vector<Term>> read_sums(const std::vector<std::string>& texts) {
  using Order = std::tuple<bool, std::int64_t, std::string, int, int>;
  std::map<Order, std::vector<Term>> sums;
  for (const std::string& text : texts) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      Term term = read_term(line);
      const BlockKey& key = term.key;
      const bool backward = key.what != "Y";
      const auto layer = static_cast<std::int64_t>(key.layer);
      // dX of a layer comes after its dW in the equations above
      const std::string product = key.what == "dW" ? "1" : "2";
      sums[{backward, backward ? -layer : layer, product, key.row, key.col}].push_back(std::move(term));
    }
  }
  std::vector<std::vector<Term>> sorted;
  for (auto& [order, terms] : sums) {
    std::ranges::sort(terms, {}, &Term::part);
    sorted.push_back(std::move(terms));
  }
  return sorted;
}

class RecombinedText {
 public:
  explicit RecombinedText(const StepNumbers& step) : step_(step) {}

  void add(const std::vector<Term>& terms) {
    const BlockKey& key = terms.front().key;
    Numbers sum{.rows = terms.front().numbers.rows, .cols = terms.front().numbers.cols};
    sum.values.resize(terms.front().numbers.values.size());
    double magnitude = 0;
    for (const Term& term : terms) {
      for (std::size_t n = 0; n < sum.values.size(); ++n) {
        sum.values[n] += term.numbers.values[n];
        magnitude = std::max(magnitude, std::abs(term.numbers.values[n]));
      }
    }
    check(terms.front(), sum, magnitude * static_cast<double>(terms.size()));
    std::string names;
    std::vector<EquationPart> parts = {{"", grid(rounded(sum))}};
    for (const Term& term : terms) {
      names += (names.empty() ? "" : " + ") + factors(term);
      parts.push_back({parts.size() == 1 ? " = " : " + ", grid(rounded(term.numbers))});
    }
    text_ +=
        fmt::format("      {}{} = {}{}\n", step_.layers.size() == 1 ? "" : fmt::format("layer {}: ", key.layer + 1),
                    block(key.what, key.row, key.col), names, after(key));
    text_ += equation(parts, "        ");
  }

  const std::string& text() const { return text_; }

 private:
  static std::string block(std::string_view matrix, int row, int col) {
    return fmt::format("{}{}{}{}", matrix, row + 1, std::max(row, col) < 9 ? "" : ",", col + 1);
  }
  std::string dz(std::size_t layer) const {
    return step_.layers[layer].activation == Activation::identity ? "dY" : "dZ";
  }

  std::string factors(const Term& term) const {
    const BlockKey& key = term.key;
    if (key.what == "Y") return block("X", key.row, term.part) + " " + block("W", key.col, term.part) + "^T";
    const std::string name = dz(key.layer);
    if (key.what == "dX") return block(name, key.row, term.part) + " " + block("W", term.part, key.col);
    return block(name, term.part, key.row) + "^T " + block("X", term.part, key.col);
  }

  /// What still comes after the sum.
  std::string after(const BlockKey& key) const {
    if (key.what == "dW") return "";
    const LayerNumbers& layer = step_.layers[key.what == "Y" ? key.layer : key.layer - 1];
    const bool linear = layer.activation == Activation::identity;
    if (key.what == "dX") return linear ? "" : fmt::format("; then {}'", function_name(layer.activation));
    const std::string bias = layer.bias.empty() ? "" : " + b";
    if (linear) return bias.empty() ? "" : ";" + bias;
    return fmt::format("; then {}(sum{})", function_name(layer.activation), bias);
  }

  void check(const Term& first, const Numbers& sum, double magnitude) const {
    const BlockKey& key = first.key;
    for (std::int64_t r = 0; r < sum.rows; ++r) {
      for (std::int64_t c = 0; c < sum.cols; ++c) {
        const std::int64_t row = first.first_row + r, col = first.first_col + c;
        const auto [value, expected] = finished(key, row, col, sum.at(r, c));
        require_same(fmt::format("{} of layer {}, row {}, column {}", key.what, key.layer + 1, row + 1, col + 1), value,
                     expected, {.magnitude = 16 * (magnitude + std::abs(expected) + 1e-30)});
      }
    }
  }

  /// The sum after bias and activation, and the trainer's number.
  std::pair<double, double> finished(const BlockKey& key, std::int64_t row, std::int64_t col, double sum) const {
    const LayerNumbers& layer = step_.layers[key.layer];
    if (key.what == "dW") return {sum, layer.weight.gradient.at(row, col)};
    if (key.what == "Y") {
      const double bias = layer.bias.empty() ? 0 : layer.bias.before.at(0, col);
      return {activated(layer.activation, sum + bias), layer.y.at(row, col)};
    }
    const LayerNumbers& before = step_.layers[key.layer - 1];
    const double z = sum_before_activation(before, row, col);
    return {sum * derivative(before.activation, z, before.y.at(row, col)), before.dz.at(row, col)};
  }

  const StepNumbers& step_;
  std::string text_;
};

}  // namespace

std::string terms_text(const RankContext& context, const std::vector<RecordedStep>& steps) {
  std::string text;
  for (const RecordedStep& step : steps) {
    const What& what = step.place.what;
    if (step.kind != RecordedStep::Kind::product || what.layer < 0 || step.sum.values.empty()) continue;
    const ProductAxes axes = axes_of_product(what.name, axes_of(static_cast<std::size_t>(what.layer)));
    if (context.mesh().parts(axes.contracted) == 1) continue;
    const Coord& at = context.coord();
    text += fmt::format("{} {} {} {} {} {} {} {} {}", what.layer, what.name, at[axes.row], at[axes.col],
                        at[axes.contracted], step.place.c.rows.begin, step.place.c.cols.begin, step.sum.rows,
                        step.sum.cols);
    for (const double value : step.sum.values) text += fmt::format(" {:.9g}", value);
    text += '\n';
  }
  return text;
}

std::string recombined_text(const StepNumbers& step, const std::vector<std::string>& terms) {
  RecombinedText text(step);
  for (const std::vector<Term>& sum : read_sums(terms)) text.add(sum);
  if (text.text().empty()) return "    No sum is cut on this mesh: every product is complete on its rank.\n";
  return "    The terms of the ranks, added by the all-reduces:\n" + text.text();
}

}  // namespace recombine
