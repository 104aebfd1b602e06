#pragma once

#include "src/data/load_data.hpp"
#include "src/data/table/table_columns.hpp"

namespace recombine {

/// The columns of a training table, and the schema that they make; its means, deviations and fills are not yet known.
struct ChosenColumns {
  TableSchema schema;
  TableColumns columns;
};

/// Decides which columns are inputs, and which are targets. @throws InputError that names the file and what is expected
ChosenColumns choose_columns(const DataOptions& options, const TableFacts& table);

}  // namespace recombine
