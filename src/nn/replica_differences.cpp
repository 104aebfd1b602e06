#include "src/nn/replica_differences.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace recombine {

namespace {

constexpr std::size_t kMostNamed = 4;  // findings, tensors or ranks

/// Tensors whose copies of one part differ in the same way.
struct Finding {
  std::vector<std::string> tensors;
  std::vector<int> odd;    ///< ranks whose copies differ from the majority; all holders if there is no majority
  std::vector<int> equal;  ///< ranks of the majority; empty if there is none
};

/// The ranks that hold copies of the same part of a tensor: one list for each part.
std::vector<std::vector<int>> holders_of(const Mesh& mesh, const Placement& placement) {
  std::vector<std::vector<int>> lists;
  for (int rank = 0; rank < mesh.size(); ++rank) {
    std::vector<int> holders = ranks_with_blocks_of(mesh, mesh.coord_of(rank), placement);
    if (holders.front() == rank) lists.push_back(std::move(holders));
  }
  return lists;
}

/// @param holders  of one part of tensor `n`
Finding compare(const std::vector<int>& holders, std::size_t n, const RanksSums& ranks) {
  std::map<std::uint64_t, std::vector<int>> by_sum;
  for (const int rank : holders) by_sum[ranks.sums[static_cast<std::size_t>(rank)][n]].push_back(rank);
  Finding finding;
  for (const auto& [sum, equal] : by_sum) {
    const bool majority = 2 * equal.size() > holders.size();
    std::vector<int>& side = majority ? finding.equal : finding.odd;
    side.insert(side.end(), equal.begin(), equal.end());
  }
  std::ranges::sort(finding.odd);
  return finding;
}

/// "a, b and c", or "a, b, c, d and 5 more".
std::string list(std::vector<std::string> words) {
  if (words.size() > kMostNamed + 1) {
    const std::size_t more = words.size() - kMostNamed;
    words.resize(kMostNamed);
    words.push_back(fmt::format("{} more", more));
  }
  if (words.size() == 1) return words[0];
  return fmt::format("{} and {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

std::string sentence(const Finding& finding, const RanksSums& ranks) {
  const auto place = [&](int rank) { return ranks.places[static_cast<std::size_t>(rank)]; };
  std::vector<std::string> odd, equal;
  for (const int rank : finding.odd) odd.push_back(place(rank));
  for (const int rank : finding.equal) equal.push_back(std::to_string(rank));
  const char* const differ = finding.tensors.size() == 1 ? "differs" : "differ";
  if (equal.empty()) return fmt::format("{} {} between {}", list(finding.tensors), differ, list(odd));
  return fmt::format("{} on {} {} from the copies on ranks {}", list(finding.tensors), list(odd), differ, list(equal));
}

}  // namespace

std::string describe_differences(const Mesh& mesh, const TrainedTensors& tensors, const RanksSums& ranks) {
  std::vector<Finding> findings;
  for (std::size_t n = 0; n < tensors.size(); ++n) {
    for (const std::vector<int>& holders : holders_of(mesh, tensors.parameter(n).placement)) {
      Finding finding = compare(holders, n, ranks);
      if (finding.odd.empty()) continue;
      const auto same = std::ranges::find_if(
          findings, [&](const Finding& f) { return f.odd == finding.odd && f.equal == finding.equal; });
      if (same == findings.end()) {
        findings.push_back(std::move(finding));
        findings.back().tensors.push_back(tensors.name(n));
      } else if (same->tensors.back() != tensors.name(n)) {
        same->tensors.push_back(tensors.name(n));
      }
    }
  }
  std::string text;
  for (std::size_t f = 0; f < std::min(findings.size(), kMostNamed); ++f) {
    text += (f == 0 ? "" : "; ") + sentence(findings[f], ranks);
  }
  if (findings.size() > kMostNamed) text += fmt::format("; and {} more differences", findings.size() - kMostNamed);
  return text;
}

}  // namespace recombine
