#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/data/data_budget.hpp"
#include "src/nn/feature_store.hpp"

namespace recombine {

/// Makes a store for rows x cols values of f32: in memory if they fit half of the budget; otherwise on a disk, and adds
/// a note.
/// @throws InputError that names `source` if there is no room
std::shared_ptr<const FeatureStore> make_array_store(const std::string& source, std::int64_t rows, std::int64_t cols,
                                                     DataBudget& budget, std::vector<std::string>& notes);

/// How many rows to read at once: 16 MiB of f32, but at least one row.
std::int64_t rows_at_once(std::int64_t rows, std::int64_t cols);

/// @throws InputError if a value is NaN or infinite: "x.npy: element [3,0] is NaN in f32; ...". @param first the index
/// of the first value, in C order
void require_finite(const std::string& source, const std::vector<std::int64_t>& shape, std::int64_t first,
                    std::span<const float> values);

}  // namespace recombine
