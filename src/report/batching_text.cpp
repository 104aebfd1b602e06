#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "src/report/batching_figures.hpp"

namespace recombine {

namespace {

constexpr std::size_t kMostWeights = 8;  ///< that are shown one by one

/// Four digits, so that runs on other meshes, which differ in rounding, print the same.
std::string number(double value) { return fmt::format("{:.4g}", value == 0 ? 0.0 : value); }

std::string without_spaces_at_end(const std::string& text) { return text.substr(0, text.find_last_not_of(' ') + 1); }

std::string row_of(const BatchingRun& run, double until) {
  std::string reached = "not reached";
  if (const std::optional<std::int64_t> epochs = run.epochs_until(until))
    reached = fmt::format("{:>7} {:>8.3g}", *epochs, run.curve[static_cast<std::size_t>(*epochs)].seconds);
  return fmt::format("{:<11} {:>8} {:>9} {:>9} {:>16} {:>10.0f} {:>9}\n", run.strategy, run.rows_per_update,
                     run.updates_per_epoch, number(run.curve.back().loss), reached, run.samples_per_second,
                     run.rise ? number(*run.rise) : "-");
}

std::string table_of(const BatchingComparison& comparison, double until) {
  std::string text = fmt::format("{:<11} {:>8} {:>9} {:>9} {:>16} {:>10}\n", "", "rows per", "updates", "loss at",
                                 "until " + number(until), "samples");
  text += fmt::format("{:<11} {:>8} {:>9} {:>9} {:>7} {:>8} {:>10} {:>9}\n", "strategy", "update", "per epoch",
                      "the end", "epochs", "seconds", "per second", "rise");
  for (const BatchingRun& run : comparison.runs) text += row_of(run, until);
  return text;
}

std::string meaning_of(const BatchingComparison& comparison, double until) {
  const std::string why =
      comparison.asked_loss
          ? "as --until-loss asks"
          : fmt::format("{} is the\n       highest of the three losses at the end, rounded up", number(until));
  return fmt::format(
      "loss:  of all rows, after the last update of an epoch\n"
      "until: the first epoch that ends with at most this loss; {}\n"
      "       seconds are those of training, without computing this loss\n"
      "rise:  how far the loss of an update's own rows rises above that of the update\n"
      "       before; mean over the second half of the updates (0 if it falls)\n",
      why);
}

std::string weights_of(const BatchingComparison& comparison) {
  const std::vector<BatchingRun>& runs = comparison.runs;
  std::string text = "final weights\n";
  if (runs.front().weights.size() <= kMostWeights) {
    for (const BatchingRun& run : runs) {
      text += fmt::format("{:<11}", run.strategy);
      for (const double weight : run.weights) text += fmt::format(" {:>8}", number(weight));
      text += '\n';
    }
    return text;
  }
  const std::vector<float>& last = runs.back().weights;
  for (const BatchingRun& run : runs) {
    text += fmt::format("{:<11} norm {:<9}", run.strategy, number(norm_of(run.weights)));
    if (&run != &runs.back()) text += fmt::format(" distance to batch {}", number(distance(run.weights, last)));
    text = without_spaces_at_end(text) + '\n';
  }
  return text;
}

/// A strategy and the figure that it is ordered by.
struct Entry {
  std::string strategy;
  double value = 0;
  std::string shown;
};

/// "stochastic (1), mini-batch (2), batch (60)", from the lowest value to the highest.
std::string in_order(std::vector<Entry> entries) {
  std::ranges::stable_sort(entries, {}, &Entry::value);
  std::vector<std::string> words;
  for (const Entry& entry : entries) words.push_back(fmt::format("{} ({})", entry.strategy, entry.shown));
  return fmt::format("{}", fmt::join(words, ", "));
}

/// True if each value is at most the next one, and the first is less than the last.
bool rises(const std::vector<Entry>& entries) {
  return std::ranges::is_sorted(entries, {}, &Entry::value) && entries.front().value < entries.back().value;
}

std::string joined(const std::vector<std::string>& words) {
  return words.size() < 2 ? fmt::format("{}", fmt::join(words, ""))
                          : fmt::format("{} and {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

/// The sentences of findings_text(), one for each figure, and which parts of the rule of thumb the figures show.
struct Findings {
  std::string text;
  std::vector<std::string> holds, fails;

  /// @param entries  in an order in which, by the rule of thumb, their values rise
  void add(const std::string& title, const char* claim, const std::vector<Entry>& entries, std::size_t wanted) {
    if (!entries.empty()) text += fmt::format("{} {}\n", title, in_order(entries));
    (entries.size() == wanted && rises(entries) ? holds : fails).emplace_back(claim);
  }
};

}  // namespace

std::string findings_text(const BatchingComparison& comparison) {
  const std::vector<BatchingRun>& runs = comparison.runs;
  const double until = comparison.until_loss();
  std::vector<Entry> epochs, seconds, speed, smoothness;
  for (const BatchingRun& run : runs) {
    if (const auto reached = run.epochs_until(until)) {
      const double time = run.curve[static_cast<std::size_t>(*reached)].seconds;
      epochs.push_back({run.strategy, static_cast<double>(*reached), fmt::format("{}", *reached)});
      seconds.push_back({run.strategy, time, fmt::format("{:.3g}", time)});
    }
    speed.push_back({run.strategy, -run.samples_per_second, fmt::format("{:.0f}", run.samples_per_second)});
    if (run.rise) smoothness.push_back({run.strategy, *run.rise, number(*run.rise)});
  }
  std::vector<Entry> by_rows(speed.rbegin(), speed.rend()), by_rise(smoothness.rbegin(), smoothness.rend());
  Findings findings;
  findings.add("fewest epochs: ", "epochs", epochs, runs.size());
  findings.add("most samples/s:", "samples/s", by_rows, runs.size());
  findings.add("smoothest:     ", "smoothness", by_rise, runs.size());
  if (!seconds.empty()) findings.text += "fewest seconds: " + in_order(seconds) + "\n";
  findings.text +=
      "Rule of thumb: small batches need fewer epochs, because they update more often;\n"
      "large ones compute more samples/s and are smoother; mini-batches balance both.\n";
  if (findings.fails.empty()) return findings.text + "Here it holds in all three respects.\n";
  if (findings.holds.empty()) return findings.text + "Here it does not hold.\n";
  return findings.text +
         fmt::format("Here it holds for {}, but not for {}.\n", joined(findings.holds), joined(findings.fails));
}

std::string comparison_text(const BatchingComparison& comparison) {
  const double until = comparison.until_loss();
  return fmt::format("{}\n{}\n{}\n{}", table_of(comparison, until), meaning_of(comparison, until),
                     weights_of(comparison), findings_text(comparison));
}

}  // namespace recombine
