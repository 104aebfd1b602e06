#include "src/data/arrays/npy_table.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "distributed/io/npy_array.hpp"
#include "kernels/error.hpp"
#include "src/data/arrays/array_store.hpp"
#include "src/data/arrays/array_targets.hpp"

namespace recombine {

namespace {

NpyArray open_inputs(const DataOptions& options) {
  NpyArray array("--data " + options.data, options.data);
  const NpyHeader& header = array.header();
  require_input(
      header.shape.size() > 1,
      "{}: has 1 dimension; expected 2 to 4, of which the first counts the rows: save X.reshape({}, 1) of the array X",
      array.name(), header.rows);
  require_input(header.rows > 0 && header.cols > 0, "{}: is [{}]; expected at least one row and one input",
                array.name(), fmt::join(header.shape, ","));
  return array;
}

void read_features(const NpyArray& array, DataBudget& budget, DataSet& set) {
  LoadedTable& table = set.data.train;
  const auto store = make_array_store(array.name(), table.rows, table.inputs, budget, set.notes);
  const std::int64_t some = rows_at_once(table.rows, table.inputs);
  std::vector<float> values(static_cast<std::size_t>(some * table.inputs));
  for (std::int64_t first = 0; first < table.rows; first += some) {
    const std::int64_t rows = std::min(some, table.rows - first);
    const std::span<float> part = std::span(values).first(static_cast<std::size_t>(rows * table.inputs));
    array.read(first, as_matrix(vector_view(part.data(), rows * table.inputs), rows, table.inputs));
    if (is_float(array.header().type.element)) {
      require_finite(array.name(), array.header().shape, first * table.inputs, part);
    }
    store->write(first, part);
  }
  table.store = store;
}

/// Bytes stay bytes if they fit the memory. Else they are kept as f32 on a disk.
void read_pixels(const NpyArray& array, DataBudget& budget, DataSet& set) {
  LoadedTable& table = set.data.train;
  set.data.input = {.scale = 1.0F / 255};
  const double bytes = static_cast<double>(table.rows) * static_cast<double>(table.inputs);
  if (!budget.fits_half(bytes)) return read_features(array, budget, set);
  budget.take_table(array.name(), bytes);
  table.pixels.resize(static_cast<std::size_t>(table.rows * table.inputs));
  const std::int64_t some = rows_at_once(table.rows, table.inputs);
  for (std::int64_t first = 0; first < table.rows; first += some) {
    const std::int64_t rows = std::min(some, table.rows - first);
    array.read(first, std::span(table.pixels)
                          .subspan(static_cast<std::size_t>(first * table.inputs),
                                   static_cast<std::size_t>(rows * table.inputs)));
  }
}

/// Rows that can only be predicted: the model knows what its answers are.
void leave_out_targets(const DataOptions& options, DataSet& set) {
  LoadedTable& table = set.data.train;
  require_input(options.schema.has_value(),
                "--target-data: missing; --data {} expects it with the file of its targets: Y.npy with {} rows",
                options.data, table.rows);
  set.answers = Answers::absent;
  set.schema.classes = options.schema->classes;
  set.data.classes = static_cast<std::int64_t>(set.schema.classes.size());
  if (set.data.classes > 0) {
    table.labels.resize(static_cast<std::size_t>(table.rows));
  } else {
    table.outputs = static_cast<std::int64_t>(options.schema->targets.size());
    table.targets.resize(static_cast<std::size_t>(table.rows * table.outputs));
  }
}

}  // namespace

DataSet load_npy(const DataOptions& options, DataBudget& budget) {
  const NpyArray array = open_inputs(options);
  const NpyHeader& header = array.header();
  DataSet set;
  set.data.name = std::filesystem::path(options.data).filename().string();
  set.data.train.rows = header.rows;
  set.data.train.inputs = header.cols;
  options.target_data.empty() ? leave_out_targets(options, set) : load_targets(options, budget, set);
  header.type == FileType(Element::u1) ? read_pixels(array, budget, set) : read_features(array, budget, set);
  return set;
}

}  // namespace recombine
