#pragma once

#include <string>

#include "src/program/command_line.hpp"

namespace recombine {

/// The options of checkpoints.
struct CheckpointCommand {
  std::string folder;      ///< "": no checkpoints
  std::int64_t every = 0;  ///< steps from one checkpoint to the next; 0: none after a number of steps
  double minutes = 0;      ///< from one checkpoint to the next; 0: none after a time
  std::int64_t keep = 0;   ///< the newest checkpoints, which stay
  std::string resume;      ///< "auto", a file, or "": a new run

  bool enabled() const { return !folder.empty(); }
  bool resumes_newest() const { return resume == "auto"; }
  std::string name() const { return "--checkpoint " + folder; }  ///< for messages
};

po::options_description checkpoint_options();

/// @throws InputError
CheckpointCommand read_checkpoints(const OptionReader& reader);

}  // namespace recombine
