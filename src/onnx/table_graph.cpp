#include "src/onnx/table_graph.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace recombine {

namespace {

constexpr auto kFloat = onnx::TensorProto::FLOAT;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// `text` as a whole number, if it is the usual text of it.
std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::to_string(value) == text ? std::optional(value) : std::nullopt;
}

/// True if the columns have no names, only their numbers.
bool only_numbered(const TableSchema& schema) {
  return std::ranges::all_of(schema.inputs, [](const InputColumn& column) {
    return column.kind == ColumnKind::number && whole_number(column.name).value_or(0) > 0;
  });
}

/// The spellings of a word that a reader takes as the same.
std::vector<std::string> spellings(const std::string& word) {
  std::vector<std::string> all = {word, word, word, word};
  const auto lower = [](unsigned char c) { return static_cast<char>(std::tolower(c)); };
  const auto upper = [](unsigned char c) { return static_cast<char>(std::toupper(c)); };
  std::ranges::transform(word, all[1].begin(), lower);
  std::ranges::transform(word, all[2].begin(), upper);
  all[3] = all[1];
  if (!word.empty()) all[3][0] = upper(static_cast<unsigned char>(word[0]));
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

std::string add_yes_no(GraphBuilder& graph, const InputColumn& column, const std::string& input) {
  std::vector<std::string> keys = {""};
  std::vector<float> values = {static_cast<float>(column.fill)};
  for (std::size_t i = 0; i < column.categories.size(); ++i) {
    for (const std::string& text : spellings(column.categories[i])) {
      keys.push_back(text);
      values.push_back(static_cast<float>(i));
    }
  }
  const OnnxOperation encode{
      "LabelEncoder",
      {attribute("keys_strings", keys), attribute("values_floats", values), attribute("default_float", kNan)},
      kMlDomain};
  return graph.add(encode, {input}, column.name + "/number");
}

std::string add_category(GraphBuilder& graph, const InputColumn& column, const std::string& input) {
  std::vector<std::string> texts = column.categories;
  if (column.has_missing) texts.emplace_back();
  const OnnxOperation encode{
      "OneHotEncoder", {attribute("cats_strings", texts), attribute("zeros", std::int64_t{1})}, kMlDomain};
  const std::string one_hot = graph.add(encode, {input}, column.name + "/one_hot");  // [N, 1, texts]
  const std::vector<std::int64_t> axes = {1};
  return graph.add({"Squeeze"}, {one_hot, graph.constant(column.name + "/axes", axes)}, column.name + "/texts");
}

/// For each input of the network.
struct Scaling {
  explicit Scaling(const TableSchema& schema) {
    for (const InputColumn& column : schema.inputs) {
      const auto width = static_cast<std::size_t>(column.width());
      const bool number = column.kind == ColumnKind::number;
      const auto nearest = static_cast<float>(number ? column.mean : 0);
      mean.insert(mean.end(), width, nearest);
      rest.insert(rest.end(), width, static_cast<float>(number ? column.mean - nearest : 0));
      deviation.insert(deviation.end(), width, static_cast<float>(number ? column.deviation : 1));
      fill.insert(fill.end(), width, number ? as_input(column, kNan) : kNan);
    }
  }
  std::vector<float> mean, rest;  ///< the sum of both is the mean, with 48 bits
  std::vector<float> deviation;
  std::vector<float> fill;  ///< what a missing value becomes after scaling
};

/// x - mean - rest is exact where x is near the mean, so a large mean costs no bits.
std::string add_scaling(GraphBuilder& graph, const Scaling& scaling, std::string x) {
  x = graph.add({"Sub"}, {x, graph.constant("mean", scaling.mean)}, "centered");
  x = graph.add({"Sub"}, {x, graph.constant("mean_rest", scaling.rest)}, "centered_exactly");
  x = graph.add({"Div"}, {x, graph.constant("deviation", scaling.deviation)}, "scaled");
  const std::string missing = graph.add({"IsNaN"}, {x}, "missing");
  return graph.add({"Where"}, {missing, graph.constant("fill", scaling.fill), x}, "filled");
}

/// Returns the raw values [N, width]: numbers as they are, NaN where one is missing; texts as 0 and 1.
std::string add_columns(GraphBuilder& graph, const TableSchema& schema) {
  if (only_numbered(schema)) return graph.input("x", kFloat, std::ssize(schema.inputs));
  std::vector<std::string> inputs, values;
  for (const InputColumn& column : schema.inputs) {
    const bool number = column.kind == ColumnKind::number;
    inputs.push_back(graph.input(column.name, number ? kFloat : onnx::TensorProto::STRING, 1));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const InputColumn& column = schema.inputs[i];
    if (column.kind == ColumnKind::number) values.push_back(inputs[i]);
    if (column.kind == ColumnKind::yes_no) values.push_back(add_yes_no(graph, column, inputs[i]));
    if (column.kind == ColumnKind::category) values.push_back(add_category(graph, column, inputs[i]));
  }
  return graph.add({"Concat", {attribute("axis", std::int64_t{1})}}, values, "columns");
}

/// Adds the names of the classes, as numbers if they are. Returns their ONNX type.
std::int32_t add_class_names(GraphBuilder& graph, const TableSchema& schema, std::string& names) {
  std::vector<std::int64_t> numbers;
  for (const std::string& text : schema.classes) {
    if (const auto number = whole_number(text)) numbers.push_back(*number);
  }
  const bool whole = numbers.size() == schema.classes.size();
  names = whole ? graph.constant("classes", numbers) : graph.constant("classes", schema.classes);
  return whole ? onnx::TensorProto::INT64 : onnx::TensorProto::STRING;
}

}  // namespace

std::string add_table(GraphBuilder& graph, const TableSchema& schema) {
  if (schema.unnamed_inputs == 0) return add_scaling(graph, Scaling(schema), add_columns(graph, schema));
  const std::string x = graph.input("x", kFloat, schema.unnamed_inputs);
  const std::string scaled = graph.add({"Mul"}, {x, graph.constant("scale", schema.unnamed.scale)}, "scaled");
  return graph.add({"Add"}, {scaled, graph.constant("shift", schema.unnamed.shift)}, "shifted");
}

void add_answers(GraphBuilder& graph, const TableSchema& schema, const std::string& y) {
  if (schema.classes.empty()) {
    std::vector<float> mean, deviation;
    for (const TargetColumn& target : schema.targets) {
      mean.push_back(static_cast<float>(target.mean));
      deviation.push_back(static_cast<float>(target.deviation));
    }
    const std::string scaled = graph.add({"Mul"}, {y, graph.constant("target_deviation", deviation)}, "scaled_value");
    const std::string value = graph.add({"Add"}, {scaled, graph.constant("target_mean", mean)}, "value");
    graph.output(value, kFloat, std::ssize(schema.targets));
    return;
  }
  const auto axis = [](std::int64_t number) { return attribute("axis", number); };
  graph.output(graph.add({"Softmax", {axis(1)}}, {y}, "probabilities"), kFloat, std::ssize(schema.classes));
  const std::string largest = graph.add({"ArgMax", {axis(1), attribute("keepdims", std::int64_t{0})}}, {y}, "class");
  std::string names;
  const std::int32_t type = add_class_names(graph, schema, names);
  graph.output(graph.add({"Gather", {axis(0)}}, {names, largest}, "label"), type, 0);
}

}  // namespace recombine
