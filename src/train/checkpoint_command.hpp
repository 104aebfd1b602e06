#pragma once

#include <string>

#include "src/program/command_line.hpp"

namespace recombine {

/// The options for checkpoints.
struct CheckpointCommand {
  std::string folder;      ///< "": no checkpoints
  std::int64_t every = 0;  ///< steps from one checkpoint to the next; 0: steps do not trigger one
  double minutes = 0;      ///< from one checkpoint to the next; 0: time does not trigger one
  std::int64_t keep = 0;   ///< how many of the newest checkpoints stay
  std::string resume;      ///< "auto", a file, or "": a new run
  bool quiet = false;      ///< only errors are printed

  bool enabled() const { return !folder.empty(); }
  bool resumes_newest() const { return resume == "auto"; }
  std::string name() const { return "--checkpoint " + folder; }  ///< for messages
};

po::options_description checkpoint_options();

/// @throws InputError
CheckpointCommand read_checkpoints(const OptionReader& reader);

}  // namespace recombine
