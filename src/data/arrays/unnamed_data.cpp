#include "src/data/arrays/unnamed_data.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <utility>

#include "kernels/error.hpp"
#include "src/data/row_roles.hpp"
#include "src/data/table/finish.hpp"
#include "src/data/table/moments.hpp"

namespace recombine {

namespace {

template <class T>
std::vector<T> rows_of(const std::vector<T>& from, std::int64_t width, const std::vector<RowRole>& roles,
                       RowRole role) {
  std::vector<T> to;
  for (std::size_t row = 0; row < roles.size() && !from.empty(); ++row) {
    const auto first = from.begin() + static_cast<std::int64_t>(row) * width;
    if (roles[row] == role) to.insert(to.end(), first, first + width);
  }
  return to;
}

std::shared_ptr<const FeatureStore> rows_of(const std::string& name, const FeatureStore& from,
                                            const std::vector<RowRole>& roles, RowRole role) {
  const std::int64_t rows = std::ranges::count(roles, role);
  auto to = std::make_shared<const FeatureStore>(name, from.place(), rows, from.cols());
  std::vector<float> values(static_cast<std::size_t>(from.cols()));
  std::int64_t next = 0;
  for (std::size_t row = 0; row < roles.size(); ++row) {
    if (roles[row] != role) continue;
    from.read(static_cast<std::int64_t>(row), values);
    to->write(next++, values);
  }
  return to;
}

LoadedTable select(const std::string& name, const LoadedTable& from, const std::vector<RowRole>& roles, RowRole role) {
  return {.rows = std::ranges::count(roles, role),
          .inputs = from.inputs,
          .outputs = from.outputs,
          .pixels = rows_of(from.pixels, from.inputs, roles, role),
          .features = rows_of(from.features, from.inputs, roles, role),
          .store = from.store ? rows_of(name, *from.store, roles, role) : nullptr,
          .labels = rows_of(from.labels, 1, roles, role),
          .targets = rows_of(from.targets, from.outputs, roles, role),
          .rows_of_file = rows_of_file(roles, role)};
}

void require_fraction(const DataOptions& options, const std::string& option, const std::string& text) {
  require_input(text.empty() || fraction_of(option, text),
                "--{} {}: expected a fraction of the rows of --data {}, such as 0.1", option, text, options.data);
}

void split(const DataOptions& options, LoadedData& data) {
  require_fraction(options, "test", options.test);
  require_fraction(options, "validation", options.validation);
  require_input(options.test.empty() || data.test.rows == 0,
                "--test {}: --data {} has {} test rows of its own; expected no --test", options.test, options.data,
                data.test.rows);
  const std::vector<Share> shares = shares_of(options.test, options.validation);
  if (shares.empty()) return;
  std::vector<RowRole> roles(static_cast<std::size_t>(data.train.rows), RowRole::train);
  for (const Share& share : shares) {
    split_rows(roles, share, options.seed);
    (share.role == RowRole::test ? data.test : data.validation) = select(data.name, data.train, roles, share.role);
  }
  data.train = select(data.name, data.train, roles, RowRole::train);
}

/// Calls `visit(values)` for all rows in the table's store, some at a time.
template <class Visit>
void for_each_part(const LoadedTable& table, const Visit& visit) {
  const std::int64_t some = std::max<std::int64_t>(1, (std::int64_t{1} << 20) / table.inputs);
  std::vector<float> values;
  for (std::int64_t first = 0; first < table.rows; first += some) {
    values.resize(static_cast<std::size_t>(std::min(some, table.rows - first) * table.inputs));
    table.store->read(first, values);
    visit(std::span<const float>(values));
  }
}

/// True for images of bytes, also if they are so many that they are kept as f32 on a disk.
bool are_bytes(const LoadedData& data) { return !data.train.pixels.empty() || data.input.scale != 1; }

/// Sum and sum of squares of bytes.
struct ByteSums {
  double sum = 0, squares = 0, count = 0;

  template <class T>
  void add(std::span<const T> values) {
    for (const T x : values) {
      sum += x;
      squares += static_cast<double>(x) * x;
    }
    count += static_cast<double>(values.size());
  }
};

/// Sets one mean and one deviation for all pixels; the images stay as they are.
void standardize_pixels(LoadedData& data) {
  ByteSums sums;
  sums.add(std::span<const std::uint8_t>(data.train.pixels));
  if (data.train.store) {
    for_each_part(data.train, [&](std::span<const float> values) { sums.add(values); });
  }
  const double mean = sums.sum / sums.count;
  const double variance = sums.squares / sums.count - mean * mean;
  const double deviation = variance > 1e-9 ? std::sqrt(variance) : 255;  // constant pixels are only centred
  data.input = {static_cast<float>(1 / deviation), static_cast<float>(-mean / deviation)};
}

void add_moments(std::vector<Moments>& columns, std::span<const float> values) {
  const auto width = static_cast<std::int64_t>(columns.size());
  const auto rows = static_cast<std::int64_t>(values.size()) / width;
  for (std::size_t c = 0; c < columns.size(); ++c) columns[c].add(moments_of(values.data() + c, rows, width));
}

std::vector<Moments> input_moments(const LoadedTable& table) {
  std::vector<Moments> columns(static_cast<std::size_t>(table.inputs));
  add_moments(columns, table.features);
  if (table.store) {
    for_each_part(table, [&](std::span<const float> values) { add_moments(columns, values); });
  }
  return columns;
}

template <class Column>
void set_factors(Column& column, const Moments& moments) {
  column.mean = moments.mean;
  if (const double deviation = moments.deviation(); deviation > 0) column.deviation = deviation;
}

void standardize(LoadedData& data, TableSchema& schema) {
  if (are_bytes(data)) return standardize_pixels(data);
  for (const Moments& moments : input_moments(data.train)) {
    schema.inputs.push_back({.name = std::to_string(schema.inputs.size() + 1)});
    set_factors(schema.inputs.back(), moments);
  }
  if (data.classes > 0) return;
  std::vector<Moments> targets(static_cast<std::size_t>(data.train.outputs));
  add_moments(targets, data.train.targets);
  for (std::size_t t = 0; t < targets.size(); ++t) set_factors(schema.targets[t], targets[t]);
}

/// Names of the classes and targets, if whoever read the data gave none.
void name_answers(const LoadedData& data, TableSchema& schema) {
  if (schema.classes.empty()) {
    for (std::int64_t c = 0; c < data.classes; ++c) schema.classes.push_back(std::to_string(c));
  }
  if (!schema.targets.empty()) return;
  if (data.classes > 0) schema.targets = {{.name = "class"}};
  for (std::int64_t t = 1; t <= data.train.outputs; ++t)
    schema.targets.push_back({.name = fmt::format("target {}", t)});
}

/// Refuses data that the network of a schema cannot take.
void require_fits(const DataOptions& options, const LoadedData& data, const TableSchema& schema) {
  const std::string where = "--data " + options.data;
  require_input(schema.width() == data.train.inputs, "{}: has {} inputs; the model expects {}", where,
                data.train.inputs, schema.width());
  bool are_numbered = true;
  for (std::size_t c = 0; c < schema.inputs.size(); ++c) {
    are_numbered =
        are_numbered && schema.inputs[c].name == std::to_string(c + 1) && schema.inputs[c].kind == ColumnKind::number;
  }
  require_input(are_numbered, "{}: its inputs have no names; the model expects a table with the column '{}'", where,
                schema.inputs.empty() ? "" : schema.inputs[0].name);
  require_input(schema.inputs.empty() || !are_bytes(data),
                "{}: holds bytes; the model expects numbers of type f32 or f64, scaled column by column", where);
  const auto classes = static_cast<std::int64_t>(schema.classes.size());
  require_input((classes > 0) == (data.classes > 0) && data.classes <= classes, "{}: has {}; the model expects {}",
                where, data.classes > 0 ? fmt::format("{} classes", data.classes) : "no classes",
                classes > 0 ? fmt::format("at most {} classes", classes) : "numbers as targets");
  require_input(classes > 0 || schema.targets.size() == static_cast<std::size_t>(data.train.outputs),
                "{}: has {} targets; the model expects {}", where, data.train.outputs, schema.targets.size());
}

}  // namespace

void finish_unnamed(const DataOptions& options, ByDefault by_default, DataSet& set) {
  LoadedData& data = set.data;
  require_input(options.answers != AnswerKind::classes || data.classes > 0,
                "--loss cross-entropy: {} has numbers as targets; expected classes, or --loss mse", data.name);
  require_input(options.answers != AnswerKind::numbers || data.classes == 0,
                "--loss mse: {} has class labels; expected auto or cross-entropy", data.name);
  split(options, data);
  if (options.schema) {
    require_fits(options, data, *options.schema);
    set.schema = *options.schema;
    data.input = set.schema.unnamed;
    data.classes = static_cast<std::int64_t>(set.schema.classes.size());
  } else {
    name_answers(data, set.schema);
    const bool automatic = options.standardize == Standardize::automatic;
    const bool by_itself = automatic && by_default == ByDefault::standardized && !are_bytes(data);
    if (by_itself || options.standardize == Standardize::yes) standardize(data, set.schema);
    set.schema.unnamed_inputs = set.schema.inputs.empty() ? data.train.inputs : 0;
    set.schema.unnamed = data.input;
  }
  for (LoadedTable* table : {&data.train, &data.test, &data.validation}) scale(set.schema, *table);
}

}  // namespace recombine
