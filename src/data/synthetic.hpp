#pragma once

#include <string>

#include "src/data/data_budget.hpp"
#include "src/nn/dataset.hpp"

namespace recombine {

/// "synthetic:ROWS,IN,OUT": ROWS rows of uniform inputs, with the outputs of a teacher network IN-32-OUT (tanh), and
/// ROWS / 10 more rows for the test. Depends on `spec` and `seed` only.
/// @throws InputError if `spec` has another form or exceeds the budget
LoadedData make_synthetic(const std::string& spec, std::uint64_t seed, DataBudget& budget);

}  // namespace recombine
