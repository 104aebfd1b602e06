#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace recombine {

/// The operations of a Communicator. `shift` is an exchange along a ring.
enum class Collective { all_gather, broadcast, shift, all_reduce, reduce_scatter };
inline constexpr std::array kCollectives = {Collective::all_gather, Collective::broadcast, Collective::shift,
                                            Collective::all_reduce, Collective::reduce_scatter};
std::string_view name_of(Collective collective);

/// Bytes that a rank sends, as the mean over the P ranks of a group: (P-1)/P of `bytes` for all_gather, reduce_scatter
/// and broadcast, twice that for all_reduce, all of `bytes` for shift. No algorithm sends less (Chan et al.,
/// "Collective communication: theory, practice, and experience", 2007).
double bytes_sent(Collective collective, int ranks, std::int64_t bytes);

}  // namespace recombine
