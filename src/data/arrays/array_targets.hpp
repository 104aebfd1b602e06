#pragma once

#include <string>

#include "src/data/load_data.hpp"

namespace recombine {

/// Reads --target-data Y.npy into the training table and the schema: Y [n] or [n, m], for the n rows of X. One column
/// of whole numbers may contain classes. If options.answers is automatic, these are classes if their type is an integer
/// or bool and they have at most 1,000 different values.
/// @throws InputError that names the file and what is expected
void load_targets(const DataOptions& options, DataBudget& budget, DataSet& set);

}  // namespace recombine
