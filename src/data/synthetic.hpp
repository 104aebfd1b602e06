#pragma once

#include <string>

#include "src/data/data_budget.hpp"
#include "src/data/dataset.hpp"

namespace recombine {

/// "synthetic:ROWS,IN,OUT": uniform inputs and the answers of a teacher network IN-32-OUT with tanh; a tenth as
/// many rows more for the test. A function of the seed alone. @throws InputError for another spec, and for one beyond
/// the budget
LoadedData make_synthetic(const std::string& spec, std::uint64_t seed, DataBudget& budget);

}  // namespace recombine
