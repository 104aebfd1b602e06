#pragma once

#include "src/matmul/explain/mesh_story.hpp"
#include "src/report/text_style.hpp"

namespace recombine {

/// The story of a mesh in words and numbers: who holds which block, what each schedule sends and computes step by step,
/// the products of every rank, the sum over k, and the bytes sent.
std::string mesh_text(const MeshStory& story, const TextStyle& style);

}  // namespace recombine
