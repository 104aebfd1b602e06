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
///     recombine_checkpoint  "1": the version of this list
///     state.*               the members of TrainState; the decimal digits give the same bits back. Version 1 has no
///                           state.best_epoch
///     seed
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
