#pragma once

#include "src/program/command_line.hpp"

namespace recombine {

/// The number of steps that --explain shows; 0 without --explain.
/// @throws InputError if an option is given that --explain cannot obey, or if no data are named
std::int64_t read_explained_steps(const OptionReader& reader);

}  // namespace recombine
