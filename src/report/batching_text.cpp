#include <algorithm>
#include <limits>

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
          ? fmt::format("{} is --until-loss", number(until))
          : fmt::format("{} is 99% of\n       the way down from the first loss to the highest one at the end",
                        number(until));
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

/// The lines of findings_text(), and which parts of the rule of thumb the figures show.
struct Findings {
  std::string text;
  std::vector<std::string> holds, fails;

  /// @param entries  in an order in which, by the rule of thumb, their values rise; empty: there are no figures
  void add(const char* title, const char* claim, const std::vector<Entry>& entries) {
    if (entries.empty()) return;
    text += fmt::format("{:<15} {}\n", title, in_order(entries));
    (rises(entries) ? holds : fails).emplace_back(claim);
  }
  std::string verdict() const {
    if (holds.empty()) return "Here it does not hold.\n";
    return fmt::format("Here it holds for {}{}.\n", joined(holds),
                       fails.empty() ? "" : ", but not for " + joined(fails));
  }
};

/// By the epochs until `loss`; those that do not reach it are last. Empty: none reaches it.
std::vector<Entry> by_epochs(const std::vector<BatchingRun>& runs, double loss) {
  std::vector<Entry> entries;
  bool any = false;
  for (const BatchingRun& run : runs) {
    const std::optional<std::int64_t> epochs = run.epochs_until(loss);
    any = any || epochs;
    entries.push_back({run.strategy, epochs ? static_cast<double>(*epochs) : std::numeric_limits<double>::infinity(),
                       epochs ? fmt::format("{}", *epochs) : "not reached"});
  }
  return any ? entries : std::vector<Entry>();
}

std::vector<Entry> by_seconds(const std::vector<BatchingRun>& runs, double loss) {
  std::vector<Entry> entries;
  for (const BatchingRun& run : runs) {
    if (const std::optional<std::int64_t> epochs = run.epochs_until(loss)) {
      const double seconds = run.curve[static_cast<std::size_t>(*epochs)].seconds;
      entries.push_back({run.strategy, seconds, fmt::format("{:.3g}", seconds)});
    }
  }
  return entries;
}

/// From the largest batches to the smallest ones, like the next one.
std::vector<Entry> by_speed(const std::vector<BatchingRun>& runs) {
  std::vector<Entry> entries;
  for (auto run = runs.rbegin(); run != runs.rend(); ++run)
    entries.push_back({run->strategy, -run->samples_per_second, fmt::format("{:.0f}", run->samples_per_second)});
  return entries;
}

/// Empty: a run has too few updates.
std::vector<Entry> by_rise(const std::vector<BatchingRun>& runs) {
  std::vector<Entry> entries;
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (!run->rise) return {};
    entries.push_back({run->strategy, *run->rise, number(*run->rise)});
  }
  return entries;
}

}  // namespace

std::string findings_text(const BatchingComparison& comparison) {
  const std::vector<BatchingRun>& runs = comparison.runs;
  const double until = comparison.until_loss();
  Findings findings;
  findings.add("fewest epochs:", "epochs", by_epochs(runs, until));
  findings.add("most samples/s:", "samples/s", by_speed(runs));
  findings.add("smoothest:", "smoothness", by_rise(runs));
  if (const std::vector<Entry> seconds = by_seconds(runs, until); !seconds.empty())
    findings.text += fmt::format("{:<15} {}\n", "fewest seconds:", in_order(seconds));
  return findings.text +
         "Rule of thumb: small batches need fewer epochs, because they update more often;\n"
         "large ones compute more samples/s and are smoother; mini-batches balance both.\n" +
         findings.verdict();
}

std::string comparison_text(const BatchingComparison& comparison) {
  const double until = comparison.until_loss();
  return fmt::format("{}\n{}\n{}\n{}", table_of(comparison, until), meaning_of(comparison, until),
                     weights_of(comparison), findings_text(comparison));
}

}  // namespace recombine
