#include "src/data/row_roles.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "kernels/error.hpp"
#include "kernels/permutation.hpp"

namespace recombine {

namespace {

void count(RowCounts& counts, RowRole role) {
  if (role != RowRole::dropped) ++counts[static_cast<std::size_t>(role)];
}

}  // namespace

std::optional<double> fraction_of(const std::string& option, const std::string& text) {
  double share = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (error == std::errc::invalid_argument || at != text.data() + text.size()) return std::nullopt;
  require_input(error == std::errc{} && share > 0 && share < 1,
                "--{} {}: expected a fraction between 0 and 1, such as 0.1, or a file", option, text);
  return share;
}

std::vector<Share> shares_of(const std::string& test, const std::string& validation) {
  std::vector<Share> shares;
  if (const auto share = fraction_of("test", test)) shares.push_back({"test", test, *share, RowRole::test});
  if (const auto share = fraction_of("validation", validation)) {
    shares.push_back({"validation", validation, *share, RowRole::validation});
  }
  return shares;
}

void split_rows(std::vector<RowRole>& roles, const Share& share, std::uint64_t seed) {
  // Any two different numbers. With the same order, rows near the border of the two shares would always be neighbours.
  const std::uint64_t stream = share.role == RowRole::validation ? 0 : ~std::uint64_t{0};
  const std::int64_t rows = std::ranges::count(roles, RowRole::train);
  require_input(rows >= 2, "--{} {}: there {} {} training row{}; expected at least 2 to split", share.option,
                share.text, rows == 1 ? "is" : "are", rows, rows == 1 ? "" : "s");
  const auto wanted = static_cast<std::int64_t>(std::llround(share.share * static_cast<double>(rows)));
  const std::int64_t taken = std::clamp<std::int64_t>(wanted, 1, rows - 1);
  const Permutation order(rows, seed, stream);
  std::vector<bool> is_taken(static_cast<std::size_t>(rows));
  for (std::int64_t p = 0; p < taken; ++p) is_taken[static_cast<std::size_t>(order(p))] = true;
  std::size_t next = 0;
  for (RowRole& role : roles) {
    if (role == RowRole::train && is_taken[next++]) role = share.role;
  }
}

RowCounts count_rows(const std::vector<RowRole>& roles) {
  RowCounts counts{};
  for (const RowRole role : roles) count(counts, role);
  return counts;
}

std::vector<bool> rows_of_file(const std::vector<RowRole>& roles, RowRole role) {
  const auto has_role = [role](RowRole other) { return other == role; };
  if (std::ranges::all_of(roles, has_role)) return {};
  std::vector<bool> rows(roles.size());
  std::transform(roles.begin(), roles.end(), rows.begin(), has_role);
  return rows;
}

std::vector<RowCounts> counts_before(const std::vector<RowRole>& roles, const std::vector<TextChunk>& chunks) {
  std::vector<RowCounts> all;
  RowCounts counts{};
  auto at = roles.begin();
  for (const TextChunk& chunk : chunks) {
    for (; at != roles.begin() + chunk.first_row; ++at) count(counts, *at);
    all.push_back(counts);
  }
  return all;
}

}  // namespace recombine
