#pragma once

#include <string>

#include "src/data/table_schema.hpp"
#include "src/nn/shared_data.hpp"

namespace recombine {

/// What a message about divergence expects if an input that is not standardized has values above 100 or below -100:
/// --standardize; also names the column and its range. "": the inputs are not the reason. Reads the training table.
std::string divergence_remedy(const SharedData& data, const TableSchema& schema);

}  // namespace recombine
