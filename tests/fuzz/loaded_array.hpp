#pragma once

#include "src/nn/dataset.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace recombine::fuzz {

/// Insists that the training table has all its features, as bytes or in a store, and that its labels are classes.
inline void insist_array(const LoadedData& data) {
  const LoadedTable& table = data.train;
  const bool are_bytes = table.store == nullptr;
  insist(static_cast<std::int64_t>(table.pixels.size()) == (are_bytes ? table.rows * table.inputs : 0),
         "pixels are missing");
  insist(are_bytes || (table.store->rows() == table.rows && table.store->cols() == table.inputs),
         "features are missing");
  for (const std::int32_t label : table.labels) insist(label >= 0 && label < data.classes, "a label is no class");
}

}  // namespace recombine::fuzz
