#pragma once

#include <string>

namespace recombine {

/// The linker's hash of this program (GNU build-id), in hexadecimal. Programs have the same hash if and only if they
/// were built from the same code and paths, with the same compiler and options. "unknown" if the linker wrote no hash.
std::string build_id();

}  // namespace recombine
