#include "src/data/table/finish.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "kernels/error.hpp"
#include "src/data/shown.hpp"
#include "src/data/text/on_threads.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kPart = std::int64_t{4} << 20;        // bytes of rows that a thread holds
constexpr std::int64_t kSelected = std::int64_t{256} << 20;  // bytes of the values whose medians are found at a time

std::int64_t rows_at_a_time(const FeatureStore& store) {
  return std::max<std::int64_t>(1, kPart / (store.cols() * static_cast<std::int64_t>(sizeof(float))));
}

/// How each value of a row is scaled. Inputs of category columns stay as they are.
struct Factors {
  std::vector<double> fills, means, deviations;  ///< fills and means minus the origin, as the values
  bool change_nothing = true;

  explicit Factors(const TableSchema& schema) {
    for (const InputColumn& column : schema.inputs) {
      const auto width = static_cast<std::size_t>(column.width());
      fills.insert(fills.end(), width, column.fill - column.origin);
      means.insert(means.end(), width, column.mean - column.origin);
      deviations.insert(deviations.end(), width, column.deviation);
      if (column.kind != ColumnKind::category) change_nothing = false;
    }
  }
};

void scale_rows(const Factors& factors, std::span<float> values) {
  const std::size_t width = factors.means.size();
  for (std::size_t row = 0; row < values.size(); row += width) {
    for (std::size_t c = 0; c < width; ++c) {
      const float value = values[row + c];
      const double known = std::isnan(value) ? factors.fills[c] : value;  // as as_input() does
      values[row + c] = static_cast<float>((known - factors.means[c]) / factors.deviations[c]);
    }
  }
}

/// The median of the values that are not NaN; the mean of the middle two, if their number is even. NaN: there is none.
double median(std::vector<float>& values) {
  std::erase_if(values, [](float x) { return std::isnan(x); });
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (static_cast<double>(*middle) + *std::max_element(values.begin(), middle)) / 2;
}

/// The values of some inputs in all rows.
std::vector<std::vector<float>> values_of(const FeatureStore& store, std::span<const std::int64_t> inputs) {
  std::vector<std::vector<float>> all(inputs.size());
  const std::int64_t some = rows_at_a_time(store);
  std::vector<float> part(static_cast<std::size_t>(std::min(some, store.rows()) * store.cols()));
  for (std::int64_t first = 0; first < store.rows(); first += some) {
    const std::int64_t rows = std::min(some, store.rows() - first);
    store.read(first, std::span(part).first(static_cast<std::size_t>(rows * store.cols())));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      for (std::int64_t r = 0; r < rows; ++r) {
        all[i].push_back(part[static_cast<std::size_t>(r * store.cols() + inputs[i])]);
      }
    }
  }
  return all;
}

void set_medians(const FeatureStore& store, TableSchema& schema) {
  std::vector<InputColumn*> columns;
  std::vector<std::int64_t> inputs;
  std::int64_t first = 0;
  for (InputColumn& column : schema.inputs) {
    if (column.kind != ColumnKind::category) {
      columns.push_back(&column);
      inputs.push_back(first);
    }
    first += column.width();
  }
  const std::int64_t column_bytes = store.rows() * static_cast<std::int64_t>(sizeof(float));
  const auto some =
      static_cast<std::size_t>(std::max<std::int64_t>(1, kSelected / std::max<std::int64_t>(1, column_bytes)));
  for (std::size_t begin = 0; begin < columns.size(); begin += some) {
    const std::size_t count = std::min(some, columns.size() - begin);
    std::vector<std::vector<float>> values = values_of(store, std::span(inputs).subspan(begin, count));
    for (std::size_t i = 0; i < count; ++i) columns[begin + i]->fill = median(values[i]) + columns[begin + i]->origin;
  }
}

}  // namespace

void set_scaling(const DataOptions& options, const EncodedTable& encoded, TableSchema& schema) {
  const LoadedTable& train = encoded.tables[static_cast<std::size_t>(RowRole::train)];
  if (options.missing == Missing::median) set_medians(*train.store, schema);
  const bool standardize = options.standardize != Standardize::no;
  for (std::size_t c = 0; c < schema.inputs.size(); ++c) {
    InputColumn& column = schema.inputs[c];
    if (column.kind == ColumnKind::category) continue;
    Moments moments = encoded.inputs[c];
    if (options.missing == Missing::mean && moments.count > 0) column.fill = moments.mean + column.origin;
    if (std::isnan(column.fill) && options.missing != Missing::error && options.missing != Missing::drop) {
      column.fill = column.origin;  // no training row has a value
    }
    if (column.kind != ColumnKind::number || !standardize) continue;
    const double filled = static_cast<double>(train.rows) - moments.count;
    if (filled > 0) moments.add({.count = filled, .mean = column.fill - column.origin});
    column.mean = moments.mean + column.origin;
    if (const double deviation = moments.deviation(); deviation > 0) column.deviation = deviation;
  }
  if (!schema.classes.empty() || !standardize) return;
  for (std::size_t t = 0; t < schema.targets.size(); ++t) {
    schema.targets[t].mean = encoded.targets[t].mean + schema.targets[t].origin;
    if (const double deviation = encoded.targets[t].deviation(); deviation > 0) schema.targets[t].deviation = deviation;
  }
}

void scale(const TableSchema& schema, LoadedTable& table) {
  if (table.rows == 0) return;
  for (std::size_t i = 0; i < table.targets.size(); ++i) {
    table.targets[i] = as_output(schema.targets[i % schema.targets.size()], table.targets[i]);
  }
  const Factors factors(schema);
  if (factors.change_nothing) return;
  scale_rows(factors, table.features);
  if (table.store == nullptr) return;
  const FeatureStore& store = *table.store;
  const std::int64_t some = rows_at_a_time(store);
  on_threads(static_cast<std::size_t>((store.rows() + some - 1) / some), [&](std::size_t part) {
    const std::int64_t first = static_cast<std::int64_t>(part) * some;
    std::vector<float> values(static_cast<std::size_t>(std::min(some, store.rows() - first) * store.cols()));
    store.read(first, values);
    scale_rows(factors, values);
    store.write(first, values);
  });
}

std::vector<std::string> missing_notes(const TableFacts& table, const TableColumns& columns,
                                       const TableSchema& schema) {
  std::vector<std::string> notes;
  for (std::size_t c = 0; c < columns.uses.size(); ++c) {
    const std::int64_t missing = table.profile.columns[c].missing;
    if (columns.uses[c].role != ColumnUse::Role::input || missing == 0) continue;
    const InputColumn& column = schema.inputs[columns.uses[c].place];
    const std::string done = schema.missing == Missing::drop       ? "their rows are left out"
                             : column.kind == ColumnKind::category ? "a category of their own"
                             : schema.missing == Missing::median ? fmt::format("the median {:.4g} is used", column.fill)
                                                                 : fmt::format("the mean {:.4g} is used", column.fill);
    notes.push_back(fmt::format("{}: {}: {} of {} values are missing: {}", table.file, shown(column.name), missing,
                                table.profile.rows, done));
  }
  return notes;
}

}  // namespace recombine
