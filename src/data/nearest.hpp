#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace recombine {

/// The name that `wanted` was probably meant to be: the one with the fewest changed letters (Levenshtein's distance,
/// case ignored). "": no name differs in at most a third of its letters.
std::string nearest(std::string_view wanted, const std::vector<std::string>& names);

/// "; did you mean NAME?" for a message, or "".
std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names);

}  // namespace recombine
