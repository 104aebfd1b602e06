#pragma once

#include <string>
#include <vector>

#include "src/report/matmul_report.hpp"

namespace recombine {

/// Why the planner chose the first plan: "the fastest; next: 1x2x1 gather, 1.6% slower (...)", or how much slower than
/// the fastest it is, and what it has less of. @param plans  as plan_matmul() orders them, not empty
std::string reason_text(const MatmulShape& shape, const std::vector<Plan>& plans);

/// How far a prediction was from the measured time: "predicted 0.3000 s, 25% too low". Times below 1 ms depend on
/// single delays, which the model does not contain, so they are not compared.
std::string prediction_text(double predicted_seconds, double measured_seconds);

/// Where the time of the rank that took longest went; "" if one rank has no parts, or they were not measured.
std::string split_text(const MatmulDescription& run, const MatmulTimes& times);

}  // namespace recombine
