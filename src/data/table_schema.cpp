#include "src/data/table_schema.hpp"

#include <array>
#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

#include "kernels/error.hpp"

namespace recombine {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kKinds = {"number", "yes_no", "category"};       // of ColumnKind
constexpr std::array kMissing = {"mean", "median", "drop", "error"};  // of Missing
constexpr std::int64_t kMostInputs = std::int64_t{1} << 40;

template <class Enum, std::size_t N>
Enum one_of(const std::array<const char*, N>& names, const std::string& text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (text == names[i]) return static_cast<Enum>(i);
  }
  throw InputError("unknown word " + text.substr(0, 40));
}

double finite(const Json& value) {
  const auto number = value.get<double>();
  require_input(std::isfinite(number), "a number is not finite");
  return number;
}

double deviation_of(const Json& value) {
  const double number = finite(value);
  require_input(number > 0, "a deviation is {}; expected more than 0", number);
  return number;
}

InputColumn column_of(const Json& value) {
  InputColumn column{.name = value.at("name").get<std::string>(),
                     .kind = one_of<ColumnKind>(kKinds, value.at("kind").get<std::string>()),
                     .categories = value.at("categories").get<std::vector<std::string>>(),
                     .has_missing = value.at("has_missing").get<bool>(),
                     .mean = finite(value.at("mean")),
                     .deviation = deviation_of(value.at("deviation"))};
  if (!value.at("fill").is_null()) column.fill = finite(value.at("fill"));
  const std::size_t texts = column.categories.size();
  require_input(column.kind == ColumnKind::number   ? texts == 0
                : column.kind == ColumnKind::yes_no ? texts == 2
                                                    : true,
                "a column has {} texts", texts);
  require_input(column.width() > 0, "a category column has no texts");
  return column;
}

}  // namespace

std::int64_t TableSchema::width() const {
  return std::accumulate(inputs.begin(), inputs.end(), unnamed_inputs,
                         [](std::int64_t sum, const InputColumn& column) { return sum + column.width(); });
}

std::string to_json(const TableSchema& schema) {
  Json json = {{"inputs", Json::array()}, {"targets", Json::array()}};
  for (const InputColumn& column : schema.inputs) {
    json["inputs"].push_back({{"name", column.name},
                              {"kind", kKinds.at(static_cast<std::size_t>(column.kind))},
                              {"categories", column.categories},
                              {"has_missing", column.has_missing},
                              {"fill", column.fill},
                              {"mean", column.mean},
                              {"deviation", column.deviation}});
  }
  for (const TargetColumn& target : schema.targets) {
    json["targets"].push_back({{"name", target.name}, {"mean", target.mean}, {"deviation", target.deviation}});
  }
  json["classes"] = schema.classes;
  json["left_out"] = schema.left_out;
  json["missing"] = kMissing.at(static_cast<std::size_t>(schema.missing));
  json["unnamed_inputs"] = schema.unnamed_inputs;
  json["unnamed"] = {{"scale", schema.unnamed.scale}, {"shift", schema.unnamed.shift}};
  return json.dump();
}

TableSchema schema_from_json(const std::string& name, const std::string& text) {
  TableSchema schema;
  try {
    const Json json = Json::parse(text);
    for (const Json& value : json.at("inputs")) schema.inputs.push_back(column_of(value));
    for (const Json& value : json.at("targets")) {
      schema.targets.push_back(
          {value.at("name").get<std::string>(), finite(value.at("mean")), deviation_of(value.at("deviation"))});
    }
    schema.classes = json.at("classes").get<std::vector<std::string>>();
    schema.left_out = json.at("left_out").get<std::vector<std::string>>();
    schema.missing = one_of<Missing>(kMissing, json.at("missing").get<std::string>());
    schema.unnamed_inputs = json.at("unnamed_inputs").get<std::int64_t>();
    schema.unnamed.scale = static_cast<float>(finite(json.at("unnamed").at("scale")));
    schema.unnamed.shift = static_cast<float>(finite(json.at("unnamed").at("shift")));
    require_input(schema.unnamed_inputs >= 0 && schema.unnamed_inputs < kMostInputs &&
                      (schema.unnamed_inputs == 0 || schema.inputs.empty()),
                  "{} unnamed inputs", schema.unnamed_inputs);
  } catch (const nlohmann::json::exception&) {
    throw InputError(name + ": its table is damaged; expected the JSON text of a table");
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: its table is damaged: {}", name, error.what()));
  }
  return schema;
}

}  // namespace recombine
