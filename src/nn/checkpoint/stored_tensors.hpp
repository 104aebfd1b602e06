#pragma once

#include <vector>

#include "src/nn/checkpoint/safetensors_header.hpp"
#include "src/nn/trained_tensors.hpp"

namespace recombine {

/// Where tensor `n` begins in a file of these tensors, in bytes after the header. For n = tensors.size(): the bytes of
/// all tensors.
std::int64_t first_byte(const TrainedTensors& tensors, std::size_t n);

/// How a file of these tensors stores them.
std::vector<NamedTensor> stored_tensors(const TrainedTensors& tensors);

}  // namespace recombine
