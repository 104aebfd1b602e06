#pragma once

#include <cstdint>

namespace recombine {

/// The order of the bytes of an element in a file.
enum class ByteOrder : std::uint8_t { little, big };

}  // namespace recombine
