#pragma once

#include "distributed/comparison.hpp"
#include "src/command_line.hpp"

namespace recombine {

/// Each option of the table and its value, after --config and defaults, for the comparison of ranks at the start. All
/// options take part but those few that may differ: see compared_options.cpp for which, and why.
Facts compared_options(const po::variables_map& values, const po::options_description& table);

}  // namespace recombine
