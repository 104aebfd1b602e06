#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace recombine {

/// The name that the user probably meant by `wanted`: the one with the fewest changed letters (Levenshtein's distance;
/// case is ignored). "": every name differs in more than a third of its letters.
std::string nearest(std::string_view wanted, const std::vector<std::string>& names);

/// "; did you mean NAME?" for a message, or "".
std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names);

}  // namespace recombine
