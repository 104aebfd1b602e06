#pragma once

#include <string>
#include <vector>

#include "src/explain/recorder.hpp"
#include "src/train/explain/step_numbers.hpp"

namespace recombine {

/// This rank's terms of the sums over ranks in a step, as text for rank 0: a line for each product whose contracted
/// dimension is cut.
std::string terms_text(const RankContext& context, const std::vector<RecordedStep>& steps);

/// How the ranks' terms add up: "Y11 = X11 W11^T + X12 W12^T", with numbers. @param terms  terms_text() of each rank
/// @throws Error if a sum is not in the trainer's matrix
std::string recombined_text(const StepNumbers& step, const std::vector<std::string>& terms);

}  // namespace recombine
