#pragma once

#include <optional>
#include <string>

#include "src/program/command_line.hpp"

namespace recombine {

/// The options of the comparison of stochastic, mini-batch and batch descent.
struct BatchingCommand {
  bool enabled = false;
  std::optional<double> until_loss;  ///< none: a loss that each of the three reaches
  std::string plot;                  ///< a file; "": none
  bool chooses_optimizer = false;    ///< --optimizer is not given
  bool chooses_schedule = false;     ///< --lr-schedule is not given
};

po::options_description batching_options();

/// @throws InputError; also for options of a single training that make no sense for three
BatchingCommand read_batching(const OptionReader& reader);

}  // namespace recombine
