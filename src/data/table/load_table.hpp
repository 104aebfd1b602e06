#pragma once

#include "src/data/load_data.hpp"

namespace recombine {

/// Reads --data FILE, a table of text, and the files that --validation and --test name. Every column except --target
/// may become an input. With `options.schema`, the tables are read as it says, and --data may lack the targets.
/// @throws InputError that names the file, and line and column if it is about a cell
DataSet load_table(const DataOptions& options, DataBudget& budget);

}  // namespace recombine
