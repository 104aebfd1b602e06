#pragma once

#include <array>
#include <vector>

#include "src/data/table/cell_reader.hpp"
#include "src/data/table/moments.hpp"
#include "src/data/table/text_table.hpp"

namespace recombine {

/// The rows of a file as tables, by their roles.
struct EncodedTable {
  std::array<LoadedTable, 3> tables;  ///< by RowRole
  /// At Stage::raw, moments of the values of the training rows minus their origin: of each input column (without
  /// missing values; none for a category column), and of each target column of a regression.
  std::vector<Moments> inputs, targets;
};

/// What to encode, and how.
struct EncodeTask {
  const TextTable& table;
  const TableColumns& columns;
  const TableSchema& schema;
  const std::vector<RowRole>& roles;  ///< one for each row
  Stage stage = Stage::raw;
  FeatureStore::Place place = FeatureStore::Place::memory;
};

/// Reads the table a second time, on several threads. Rows keep their order.
/// @throws InputError that names file, line and column
EncodedTable encode(const EncodeTask& task);

}  // namespace recombine
