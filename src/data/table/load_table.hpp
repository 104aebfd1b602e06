#pragma once

#include "src/data/load_data.hpp"

namespace recombine {

/// Reads --data FILE, a table of text, and the files of --validation and --test if these are files. All its columns but
/// --target may become inputs. With `options.schema`, the table is read as the schema says, and may lack the targets.
/// @throws InputError that names the file, and line and column if it is about a cell
DataSet load_table(const DataOptions& options, DataBudget& budget);

}  // namespace recombine
