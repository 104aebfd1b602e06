#pragma once

#include <string>
#include <vector>

#include "src/explain/recorder.hpp"
#include "src/nn/model.hpp"

namespace recombine {

/// What this rank did in the latest step: its blocks, its products with their numbers, its collectives, and what it has
/// at the end. @param steps  the products and collectives, in their order
std::string rank_story(const RankContext& context, const Model& model, const std::vector<RecordedStep>& steps);

}  // namespace recombine
