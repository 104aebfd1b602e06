#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace recombine {

/// What a rank sends and computes in one step of a schedule.
struct StoryRow {
  static constexpr int kSum = 1000;  ///< the step after all others: the sum over k

  int step = 1;
  std::string sends;     ///< "A11 -> 1, B11 -> 2"
  double bytes = 0;      ///< of these messages
  std::string computes;  ///< "C11 = A11 B11"
};

/// A number of bytes: whole, or the mean over the ranks of a sum.
std::string bytes_text(double bytes);

/// As text, to be sent to another rank.
std::string to_text(const std::vector<StoryRow>& rows);
std::vector<StoryRow> rows_from(std::string_view text);

/// The rows of all ranks, step by step. @param rows  per rank
std::string story_table(const std::vector<std::vector<StoryRow>>& rows);

}  // namespace recombine
