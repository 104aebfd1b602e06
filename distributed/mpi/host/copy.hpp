#pragma once

#include "kernels/matrix.hpp"

namespace recombine::mpi {

// memcpy between data and a slot. glibc takes `rep movsb` for such lengths, which on some processors is three to ten
// times slower where both addresses have nearly the same last 12 bits; these are vector loads and stores.

/// A long part goes past the cache: a line that another core has just read is written without asking that core for
/// it first. Between cores that share no cache but the last this makes filling four times faster.
/// @pre `slot` is on a multiple of 16 bytes
void fill_slot(std::byte* slot, ConstVectorView from);

void take_from_slot(std::byte* to, ConstVectorView slot);

}  // namespace recombine::mpi
