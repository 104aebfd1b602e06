#pragma once

#include <optional>

#include "src/train/options.hpp"
#include "src/train/saved_model.hpp"

namespace recombine {

/// What the file of --load or --resume says about its network.
struct SavedNetwork {
  SavedModel model;
  bool has_best = false;  ///< a checkpoint that also holds the weights of the best epoch
};

/// Reads the header of the file; none for a new network and for --resume auto. Every rank may call it alone.
/// @throws InputError if the file cannot be read, or if its activation is not that of --activation
std::optional<SavedNetwork> read_saved_network(const TrainCommand& command);

}  // namespace recombine
