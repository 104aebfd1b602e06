#pragma once

#include <functional>
#include <string_view>

#include "distributed/comparison.hpp"

namespace recombine {

/// A program calls this first: every rank reads its options, then all ranks compare program, version, build, libraries,
/// instruction set (train), options, and the environment variables that change results. `read_options` returns
/// compared_options(), and may throw InputError on some ranks. Blocks; every rank calls it.
/// @throws InputError, the same on every rank
void agree_on_start(const Session& session, std::string_view program, const std::function<Facts()>& read_options);

}  // namespace recombine
