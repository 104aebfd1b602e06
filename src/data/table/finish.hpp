#pragma once

#include <string>
#include <vector>

#include "src/data/load_data.hpp"
#include "src/data/table/encode.hpp"

namespace recombine {

/// Sets fills, means and deviations of the schema from the training rows of a table at Stage::raw.
void set_scaling(const DataOptions& options, const EncodedTable& encoded, TableSchema& schema);

/// Fills and scales a table: from Stage::raw to Stage::scaled.
void scale(const TableSchema& schema, LoadedTable& table);

/// Lines that say how missing values were treated: "x.csv: 'Age': 30 of 891 values are missing: the mean 29.7 is used".
std::vector<std::string> missing_notes(const TableFacts& table, const TableColumns& columns, const TableSchema& schema);

}  // namespace recombine
