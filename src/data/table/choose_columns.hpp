#pragma once

#include "src/data/load_data.hpp"
#include "src/data/table/table_columns.hpp"

namespace recombine {

/// The columns of a training table, and its schema, still without means, deviations and fills.
struct ChosenColumns {
  TableSchema schema;
  TableColumns columns;
};

/// Decides which columns are inputs, and which are targets. @throws InputError that names the file and what is expected
ChosenColumns choose_columns(const DataOptions& options, const TableFacts& table);

}  // namespace recombine
