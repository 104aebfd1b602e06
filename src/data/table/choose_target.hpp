#pragma once

#include <string>
#include <vector>

#include "src/data/load_data.hpp"
#include "src/data/table/table_columns.hpp"

namespace recombine {

/// Decides whether the target columns are classes or numbers: sets `targets` and `classes` of the schema. Returns a
/// line for the screen, or "".
/// @throws InputError that names the file, the column and what is expected
std::string choose_target(const DataOptions& options, const TableFacts& table, const std::vector<std::string>& names,
                          const std::vector<std::size_t>& targets, TableSchema& schema);

}  // namespace recombine
