#include "src/data/nearest.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace recombine {

namespace {

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

/// Insertions, deletions and replacements that make `b` of `a` (Wagner and Fischer 1974).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (same_letter(a[i], b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view wanted, const std::vector<std::string>& names) {
  static constexpr std::size_t kLongest = 200;
  std::string best;
  std::size_t least = std::string::npos;
  for (const std::string& name : names) {
    if (name.size() > kLongest || wanted.size() > kLongest) continue;
    const std::size_t changes = distance(wanted, name);
    if (changes < least && 3 * changes <= std::max(name.size(), wanted.size())) {
      best = name;
      least = changes;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names) {
  const std::string name = nearest(wanted, names);
  return name.empty() ? "" : fmt::format("; did you mean {}?", name);
}

}  // namespace recombine
