#pragma once

#include "distributed/comparison.hpp"
#include "src/program/command_line.hpp"

namespace recombine {

/// The options of the table with their values (after --config and defaults), for the comparison of ranks at the start.
/// A few options may differ between ranks and are left out; compared_options.cpp lists them with the reasons.
Facts compared_options(const po::variables_map& values, const po::options_description& table);

}  // namespace recombine
