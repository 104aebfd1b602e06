#pragma once

#include "src/program/command_line.hpp"

namespace recombine {

/// All options of `train`, in groups, with their descriptions and defaults.
po::options_description train_options();

}  // namespace recombine
