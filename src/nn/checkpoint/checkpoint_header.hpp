#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/comparison.hpp"
#include "src/nn/checkpoint/safetensors_file.hpp"
#include "src/nn/checkpoint/safetensors_header.hpp"
#include "src/nn/train_state.hpp"

namespace recombine {

/// What a checkpoint holds besides its tensors.
struct CheckpointInfo {
  TrainState state;
  std::uint64_t seed = 0;
  Metadata model;                           ///< what the network's inputs and outputs are; keys begin with "recombine."
  Facts options;                            ///< must be equal on resume; names without control characters
  std::vector<std::uint64_t> fingerprints;  ///< Math::fingerprint of each tensor, in file order
};

/// Thrown for a checkpoint that a newer version of this program wrote.
class NewerCheckpoint : public InputError {
 public:
  using InputError::InputError;
};

/// The header of a checkpoint, as safetensors_header() describes it. Its length does not depend on the fingerprints, so
/// the tensors can be written first. The metadata, all strings:
///
///     format                "pt": tensors for PyTorch
///     recombine_checkpoint  "2": the version of this list; version 1 has no state.best_epoch and no recombine.*
///     state.*               the members of TrainState; the decimal digits give the same bits back
///     seed
///     recombine.*           CheckpointInfo::model, in order
///     option.*              CheckpointInfo::options, in order; bytes that are not ASCII, and %, as %XX
///     fingerprints          16 hexadecimal digits for each tensor
///     header_sha256         SHA-256 of the JSON text, with 64 zeros in place of this value; the same in every version
///
/// @param tensors  in file order
std::string checkpoint_header(const std::vector<NamedTensor>& tensors, const CheckpointInfo& info);

/// Reads what checkpoint_header() wrote. @throws DamagedFile if the file is no checkpoint of this program, or its
/// header has changed; NewerCheckpoint
CheckpointInfo read_checkpoint_info(const SafetensorsFile& file);

}  // namespace recombine
