#pragma once

#include <string>

#include "src/data/table_schema.hpp"
#include "src/nn/shared_data.hpp"

namespace recombine {

/// What is expected if training diverges and an input that is not standardized has values beyond 100 or -100: says
/// --standardize, and names the column and its range. "": the inputs are not to blame. Reads the training table.
std::string divergence_remedy(const SharedData& data, const TableSchema& schema);

}  // namespace recombine
