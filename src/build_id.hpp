#pragma once

#include <string>

namespace recombine {

/// The linker's hash of this program (GNU build-id), in hexadecimal: equal if and only if the same code was built from
/// the same paths with the same compiler and options. "unknown" if the linker wrote none.
std::string build_id();

}  // namespace recombine
