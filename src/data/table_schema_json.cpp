#include <cmath>
#include <initializer_list>
#include <limits>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "kernels/error.hpp"
#include "src/data/shown.hpp"
#include "src/data/table_schema.hpp"

namespace recombine {

namespace {

using Json = nlohmann::ordered_json;

template <class T>
using Words = std::initializer_list<std::pair<const char*, T>>;

const Words<ColumnKind> kKinds = {
    {"number", ColumnKind::number}, {"yes_no", ColumnKind::yes_no}, {"category", ColumnKind::category}};
const Words<Missing> kMissing = {
    {"mean", Missing::mean}, {"median", Missing::median}, {"drop", Missing::drop}, {"error", Missing::error}};

template <class T>
const char* word_of(const Words<T>& words, T value) {
  for (const auto& [word, meaning] : words) {
    if (meaning == value) return word;
  }
  return "";
}

/// Reads the parts of a schema, and refuses what does not have the form that to_json() writes.
class SchemaReader {
 public:
  explicit SchemaReader(const std::string& name) : name_(name) {}

  TableSchema read(const std::string& text) const {
    const Json json = Json::parse(text, nullptr, false);
    check(json.is_object(), "is not a JSON object");
    TableSchema schema;
    for (const Json& column : list(json, "inputs")) schema.inputs.push_back(input(column));
    for (const Json& column : list(json, "targets")) schema.targets.push_back(target(column));
    schema.classes = texts(json, "classes");
    schema.left_out = texts(json, "left_out");
    schema.missing = word(json, "missing", kMissing);
    const double unnamed = number(json, "unnamed_inputs");
    check(unnamed >= 0 && unnamed <= kMostInputs && unnamed == std::floor(unnamed), "has no whole unnamed_inputs");
    schema.unnamed_inputs = static_cast<std::int64_t>(unnamed);
    schema.unnamed = {single(json, "scale"), single(json, "shift")};
    check_whole(schema);
    return schema;
  }

 private:
  static constexpr double kMostInputs = 1 << 30;

  template <class... Args>
  void check(bool ok, fmt::format_string<Args...> what, Args&&... args) const {
    if (!ok) {
      throw InputError(fmt::format("{}: its table schema {}; expected one that this program wrote", name_,
                                   fmt::format(what, std::forward<Args>(args)...)));
    }
  }

  const Json& part(const Json& json, const char* key) const {
    check(json.is_object() && json.contains(key), "lacks '{}'", key);
    return json[key];
  }
  const Json& list(const Json& json, const char* key) const {
    const Json& value = part(json, key);
    check(value.is_array(), "has no list '{}'", key);
    return value;
  }
  std::string text(const Json& value, const char* key) const {
    check(value.is_string(), "has no text in '{}'", key);
    return value.get<std::string>();
  }
  std::vector<std::string> texts(const Json& json, const char* key) const {
    std::vector<std::string> all;
    for (const Json& value : list(json, key)) all.push_back(text(value, key));
    return all;
  }
  double number(const Json& json, const char* key) const {
    const Json& value = part(json, key);
    check(value.is_number() && std::isfinite(value.get<double>()), "has no number '{}'", key);
    return value.get<double>();
  }
  float single(const Json& json, const char* key) const {
    const double value = number(json, key);
    check(std::abs(value) <= std::numeric_limits<float>::max(), "has the number {} in '{}'", value, key);
    return static_cast<float>(value);
  }
  template <class T>
  T word(const Json& json, const char* key, const Words<T>& words) const {
    const std::string given = text(part(json, key), key);
    for (const auto& [known, value] : words) {
      if (given == known) return value;
    }
    throw InputError(fmt::format("{}: its table schema has '{}' {}; expected one that this program wrote", name_, key,
                                 shown(given)));
  }

  InputColumn input(const Json& json) const {
    InputColumn column{.name = text(part(json, "name"), "name"), .kind = word(json, "kind", kKinds)};
    column.categories = texts(json, "categories");
    const Json& has_missing = part(json, "has_missing");
    check(has_missing.is_boolean(), "has no boolean 'has_missing'");
    column.has_missing = has_missing.get<bool>();
    if (json.contains("fill")) column.fill = number(json, "fill");
    column.mean = number(json, "mean");
    column.deviation = deviation(json);
    column.origin = origin(json);
    check(!column.has_missing || column.kind == ColumnKind::category,
          "has 'has_missing' for a column without categories");
    const std::size_t count = column.categories.size();
    check(column.kind == ColumnKind::number   ? count == 0
          : column.kind == ColumnKind::yes_no ? count == 2
                                              : count >= 1,
          "has {} categories for column {}", count, shown(column.name));
    check_different(column.categories, "categories");
    return column;
  }
  TargetColumn target(const Json& json) const {
    return {.name = text(part(json, "name"), "name"),
            .mean = number(json, "mean"),
            .deviation = deviation(json),
            .origin = origin(json)};
  }
  double origin(const Json& json) const { return json.contains("origin") ? number(json, "origin") : 0; }
  double deviation(const Json& json) const {
    const double value = number(json, "deviation");
    check(value > 0, "has the deviation {}", value);
    return value;
  }

  void check_different(const std::vector<std::string>& names, const char* what) const {
    std::set<std::string_view> seen;
    for (const std::string& name : names) check(seen.insert(name).second, "has {} twice in '{}'", shown(name), what);
  }

  void check_whole(const TableSchema& schema) const {
    check(schema.inputs.empty() != (schema.unnamed_inputs == 0), "has {} named and {} unnamed inputs",
          schema.inputs.size(), schema.unnamed_inputs);
    check(!schema.targets.empty(), "has no target");
    check(schema.classes.empty() || (schema.classes.size() >= 2 && schema.targets.size() == 1),
          "has {} classes and {} targets", schema.classes.size(), schema.targets.size());
    check_different(schema.classes, "classes");
    std::vector<std::string> names;
    for (const InputColumn& column : schema.inputs) names.push_back(column.name);
    check_different(names, "inputs");
    names.clear();
    for (const TargetColumn& column : schema.targets) names.push_back(column.name);
    check_different(names, "targets");
  }

  std::string name_;
};

}  // namespace

std::string to_json(const TableSchema& schema) {
  Json inputs = Json::array();
  for (const InputColumn& column : schema.inputs) {
    inputs.push_back({{"name", column.name},
                      {"kind", word_of(kKinds, column.kind)},
                      {"categories", column.categories},
                      {"has_missing", column.has_missing},
                      {"mean", column.mean},
                      {"deviation", column.deviation}});
    if (!std::isnan(column.fill)) inputs.back()["fill"] = column.fill;
    if (column.origin != 0) inputs.back()["origin"] = column.origin;
  }
  Json targets = Json::array();
  for (const TargetColumn& column : schema.targets) {
    targets.push_back({{"name", column.name}, {"mean", column.mean}, {"deviation", column.deviation}});
    if (column.origin != 0) targets.back()["origin"] = column.origin;
  }
  const Json json = {{"inputs", std::move(inputs)},
                     {"targets", std::move(targets)},
                     {"classes", schema.classes},
                     {"left_out", schema.left_out},
                     {"missing", word_of(kMissing, schema.missing)},
                     {"unnamed_inputs", schema.unnamed_inputs},
                     {"scale", schema.unnamed.scale},
                     {"shift", schema.unnamed.shift}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

TableSchema schema_from_json(const std::string& name, const std::string& text) { return SchemaReader(name).read(text); }

}  // namespace recombine
