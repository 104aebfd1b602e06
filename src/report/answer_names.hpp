#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/data/table_schema.hpp"

namespace recombine {

/// True if the columns and classes of the data have names of their own, unlike those of images, which are numbered.
bool has_names(const TableSchema& schema);

/// The classes' texts; "0", "1", ... if they have none.
std::vector<std::string> class_names(const TableSchema& schema, std::int64_t classes);
/// The names of the targets; "target0", ... if they have none.
std::vector<std::string> target_names(const TableSchema& schema, std::int64_t targets);

/// The factor that converts a mean squared error of the network to the target's own units: 1 for classes, and for
/// several targets, which have no common unit.
double loss_unit(const TableSchema& schema);

/// A text as one cell of a CSV file (RFC 4180).
std::string csv_cell(const std::string& text);

}  // namespace recombine
