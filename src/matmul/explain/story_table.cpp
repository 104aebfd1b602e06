#include "src/matmul/explain/story_table.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "src/explain/text_layout.hpp"

namespace recombine {

namespace {

constexpr std::size_t kSendsWidth = 26;
constexpr std::size_t kComputesWidth = 30;

/// Messages in lines: a line ends after a comma, if it can.
TextBlock lines_of(std::string_view sends) {
  TextBlock lines;
  while (!sends.empty()) {
    const std::size_t comma = std::min(sends.find(", "), sends.size() - 1);
    const std::string_view message = sends.substr(0, comma + 1);
    sends.remove_prefix(std::min(comma + 2, sends.size()));
    if (!lines.empty() && lines.back().size() + 1 + message.size() <= kSendsWidth) {
      lines.back().append(" ").append(message);
    } else {
      std::ranges::copy(wrapped(message, kSendsWidth), std::back_inserter(lines));
    }
  }
  return lines;
}

/// A sum in lines: they end before a plus, so that a product stays in one line.
TextBlock lines_of_sum(std::string sum) {
  static constexpr char kJoin = '\x01';
  for (std::size_t at = 0; at < sum.size(); ++at) {
    if (sum[at] == ' ' && sum.compare(at, 3, " + ") != 0) sum[at] = kJoin;
  }
  TextBlock lines = wrapped(sum, kComputesWidth);
  for (std::string& line : lines) std::ranges::replace(line, kJoin, ' ');
  return lines;
}

/// A line of the table; longer texts continue below.
std::string lines_of(std::string_view step, std::string_view rank, const StoryRow& row) {
  const TextBlock sends = lines_of(row.sends);
  const TextBlock computes = lines_of_sum(row.computes);
  std::string text;
  for (std::size_t n = 0; n < std::max({sends.size(), computes.size(), std::size_t{1}}); ++n) {
    const bool first = n == 0;
    std::string line = fmt::format(
        "    {:>4}  {:>4}  {:<{}} {:>5}  {}", first ? step : "", first ? rank : "", n < sends.size() ? sends[n] : "",
        kSendsWidth, first && row.bytes > 0 ? bytes_text(row.bytes) : "", n < computes.size() ? computes[n] : "");
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace

std::string bytes_text(double bytes) {
  return std::round(bytes) == bytes ? fmt::format("{:.0f}", bytes) : fmt::format("{:.1f}", bytes);
}

std::string to_text(const std::vector<StoryRow>& rows) {
  std::string text;
  for (const StoryRow& row : rows) {
    text += fmt::format("{}\t{}\t{}\t{}\n", row.step, row.sends, row.bytes, row.computes);
  }
  return text;
}

std::vector<StoryRow> rows_from(std::string_view text) {
  const auto next = [&text](char end) {
    const std::size_t at = text.find(end);
    std::string word(text.substr(0, at));
    text.remove_prefix(at + 1);
    return word;
  };
  std::vector<StoryRow> rows;
  while (!text.empty()) {
    StoryRow row{.step = std::stoi(next('\t'))};
    row.sends = next('\t');
    row.bytes = std::stod(next('\t'));
    row.computes = next('\n');
    rows.push_back(row);
  }
  return rows;
}

std::string story_table(const std::vector<std::vector<StoryRow>>& rows) {
  std::set<int> steps;
  for (const auto& of_rank : rows) {
    for (const StoryRow& row : of_rank) steps.insert(row.step);
  }
  std::string text = fmt::format("    step  rank  {:<{}} bytes  computes\n", "sends", kSendsWidth);
  for (const int step : steps) {
    std::string shown = step == StoryRow::kSum ? "sum" : std::to_string(step);
    for (std::size_t rank = 0; rank < rows.size(); ++rank) {
      const auto row = std::ranges::find(rows[rank], step, &StoryRow::step);
      if (row == rows[rank].end()) continue;
      text += lines_of(std::exchange(shown, ""), std::to_string(rank), *row);
    }
  }
  return text;
}

}  // namespace recombine
