#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace recombine {

/// A text from a file for a message: in quotes, on one line, and cut if it is long.
std::string shown(std::string_view text);

/// The texts as a list for a message, each in quotes: "'a', 'b' and 7 more".
std::string shown_list(const std::vector<std::string>& texts, std::size_t most = 50);

/// Names of columns as the value of an option such as --ignore, quoted for a shell if necessary: a,b or '"a, in m",b'.
std::string as_option(const std::vector<std::string>& names);

}  // namespace recombine
