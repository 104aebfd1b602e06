#pragma once

#include <string>

namespace recombine {

/// All bytes of a file, unpacked where it is gzip.
/// @throws InputError naming the file when it is missing, empty, truncated or damaged
std::string read_file(const std::string& path);

}  // namespace recombine
