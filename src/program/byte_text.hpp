#pragma once

#include <string>

namespace recombine {

/// An amount of memory for a message, with three digits: "20 B", "1.5 KiB", "3.2 GiB".
std::string byte_text(double bytes);

/// The same with all digits, for an amount that the user may give as a limit: "2097153 bytes (2 MiB)".
std::string exact_byte_text(double bytes);

}  // namespace recombine
