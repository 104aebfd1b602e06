#pragma once

#include <string>
#include <vector>

#include "src/report/table_scores.hpp"

namespace recombine {

/// The scores as lines for the screen. For up to 20 classes: precision and recall of each, and the confusion table; for
/// more classes only the means of precision and recall. For a regression: R2 and error of each target.
/// @param table  "test rows"  @param names  of the classes or targets
std::string score_text(const std::string& table, const TableScores& scores, const std::vector<std::string>& names);

}  // namespace recombine
