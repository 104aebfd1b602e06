#pragma once

#include "src/data/load_data.hpp"
#include "src/program/command_line.hpp"

namespace recombine {

po::options_description data_options();

/// The options for the data. `answers`, `purpose`, `seed`, `schema` and `memory` keep their defaults.
/// @throws InputError
DataOptions read_data_options(const OptionReader& reader);

}  // namespace recombine
