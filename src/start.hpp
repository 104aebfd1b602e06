#pragma once

#include <functional>
#include <string_view>

#include "distributed/comparison.hpp"

namespace recombine {

/// The first thing that a program does: every rank reads its options, then all compare what they are (program, version,
/// build, libraries, instruction set), their options, and the environment variables that change what is computed.
/// `read_options` gives compared_options(), and may throw InputError on some ranks. Blocks; every rank calls it.
/// @throws InputError on every rank, the same
void agree_on_start(const Session& session, std::string_view program, const std::function<Facts()>& read_options);

}  // namespace recombine
