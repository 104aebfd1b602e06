#pragma once

#include <string>

#include "distributed/rank_context.hpp"
#include "src/nn/checkpoint/safetensors_file.hpp"
#include "src/nn/parameter_layout.hpp"

namespace recombine {

/// @throws DamagedFile if the tensor `name` of the file is not F32, or if its number of bytes does not match its shape
void require_f32(const SafetensorsFile& file, const std::string& name);

/// @throws InputError if the tensor `name` of the file is not F32 with the shape of `expected`
void require_shape(const SafetensorsFile& file, const std::string& name, const ParameterTensor& expected);

/// Reads this rank's blocks of the tensor `name`. @pre require_shape() has passed
/// @throws InputError if an element is NaN or infinite
void read_tensor(RankContext& context, const SafetensorsFile& file, const std::string& name, const DistMatrix& to);

}  // namespace recombine
