#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/data/data_budget.hpp"
#include "src/nn/feature_store.hpp"

namespace recombine {

/// A place for rows x cols values of f32: in memory if they fit half of the budget, else on a disk, which a note says.
/// @throws InputError that names `source` if there is no room
std::shared_ptr<const FeatureStore> make_array_store(const std::string& source, std::int64_t rows, std::int64_t cols,
                                                     DataBudget& budget, std::vector<std::string>& notes);

/// Rows that are read at once: some MiB.
std::int64_t rows_at_once(std::int64_t rows, std::int64_t cols);

/// Refuses NaN and infinity. `first` is the index of the first value, in C order. "x.npy: element [3,0] is nan; ..."
void require_finite(const std::string& source, const std::vector<std::int64_t>& shape, std::int64_t first,
                    std::span<const float> values);

}  // namespace recombine
