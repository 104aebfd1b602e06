#include "src/report/score_text.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace recombine {

namespace {

constexpr std::size_t kMostShown = 20;                   // classes
constexpr std::size_t kNameWidth = 24, kLeastWidth = 6;  // letters of a name

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }  // a letter of UTF-8

/// The name cut to `width` letters; control characters are shown as ?.
std::string cut(const std::string& name, std::size_t width) {
  std::string shown;
  std::size_t letters = 0;
  for (const char c : name) {
    if (!continues(c) && ++letters > width) break;
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return shown;
}

std::size_t letters_of(const std::string& text) {
  return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues));
}

std::string left(const std::string& name, std::size_t width) {
  const std::string shown = cut(name, width);
  return shown + std::string(width - letters_of(shown), ' ');
}

std::string right(const std::string& name, std::size_t width) {
  const std::string shown = cut(name, width);
  return std::string(width - letters_of(shown), ' ') + shown;
}

std::string value_or_dash(const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "-"; }

std::size_t longest(const std::vector<std::string>& names) {
  std::size_t letters = kLeastWidth;
  for (const std::string& name : names) letters = std::max(letters, letters_of(name));
  return std::min(letters, kNameWidth);
}

void add_classes(std::string& text, const TableScores& scores, const std::vector<std::string>& names) {
  const auto out = std::back_inserter(text);
  const std::size_t width = longest(names);
  fmt::format_to(out, "  {} {:>9} {:>10} {:>9}\n", left("class", width), "rows", "precision", "recall");
  for (std::size_t c = 0; c < scores.classes.size(); ++c) {
    const ClassScore& one = scores.classes[c];
    fmt::format_to(out, "  {} {:>9} {:>10} {:>9}\n", left(names[c], width), one.rows, value_or_dash(one.precision()),
                   value_or_dash(one.recall()));
  }
  fmt::format_to(out, "  {} {:>9} {:>10.4f} {:>9.4f}\n", left("mean", width), "", scores.macro_precision(),
                 scores.macro_recall());
}

void add_confusion(std::string& text, const TableScores& scores, const std::vector<std::string>& names) {
  const std::size_t width = longest(names), column = std::min<std::size_t>(width, names.size() <= 8 ? 16 : 8);
  text += fmt::format("  rows of each class (down) by predicted class (across)\n  {:{}}", "", width);
  for (const std::string& name : names) text += fmt::format(" {}", right(name, column));
  for (std::size_t c = 0; c < names.size(); ++c) {
    text += fmt::format("\n  {}", left(names[c], width));
    for (const std::int64_t count : scores.confusion[c]) text += fmt::format(" {:>{}}", count, column);
  }
  text += '\n';
}

}  // namespace

std::string score_text(const std::string& table, const TableScores& scores, const std::vector<std::string>& names) {
  std::string text = table + ":\n";
  const auto out = std::back_inserter(text);
  if (!scores.targets.empty()) {
    const std::size_t width = longest(names);
    fmt::format_to(out, "  {} {:>9} {:>24}\n", left("target", width), "R2", "root mean squared error");
    for (std::size_t n = 0; n < scores.targets.size(); ++n) {
      fmt::format_to(out, "  {} {:>9} {:>24.6g}\n", left(names[n], width), value_or_dash(scores.targets[n].r2),
                     scores.targets[n].rms_error);
    }
  } else if (scores.classes.size() <= kMostShown) {
    add_classes(text, scores, names);
    add_confusion(text, scores, names);
  } else {
    fmt::format_to(out, "  mean over {} classes: precision {:.4f}, recall {:.4f}\n", scores.classes.size(),
                   scores.macro_precision(), scores.macro_recall());
  }
  return text;
}

}  // namespace recombine
