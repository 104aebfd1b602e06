#include "src/explain/text_layout.hpp"

#include <algorithm>

namespace recombine {

std::string equation(std::span<const EquationPart> parts, std::string_view indent) {
  std::string text;
  std::vector<TextBlock> row;
  std::size_t width = indent.size();
  for (const EquationPart& part : parts) {
    std::string_view before = part.before;
    if (!row.empty() && width + before.size() + width_of(part.block) > kLineWidth) {
      text += side_by_side(row, indent);
      row.clear();
      width = indent.size();
    }
    if (row.empty()) before.remove_prefix(std::min(before.find_first_not_of(' '), before.size()));
    row.push_back({std::string(before)});
    row.push_back(part.block);
    width += before.size() + width_of(part.block);
  }
  return row.empty() ? text : text + side_by_side(row, indent);
}

TextBlock wrapped(std::string_view words, std::size_t width) {
  TextBlock lines;
  while (!words.empty()) {
    const std::size_t end = words.find(' ');
    const std::string_view word = words.substr(0, end);
    words.remove_prefix(end == std::string_view::npos ? words.size() : end + 1);
    if (!lines.empty() && lines.back().size() + 1 + word.size() <= width) {
      lines.back().append(" ").append(word);
      continue;
    }
    for (std::size_t at = 0; at < word.size(); at += width) lines.emplace_back(word.substr(at, width));
  }
  return lines;
}

std::string paragraph(std::string_view words, std::string_view indent) {
  return side_by_side({wrapped(words, kLineWidth - indent.size())}, indent);
}

std::string fitted(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size()) + 2;
    while (line.size() > kLineWidth) {
      const std::size_t option = line.rfind(" --", kLineWidth);
      const bool has_option = option != std::string::npos && option > indent;
      const std::size_t space = has_option ? option : line.rfind(' ', kLineWidth);
      if (space == std::string::npos || space <= indent) break;
      result += line.substr(0, space) + '\n';
      line = std::string(indent, ' ') + line.substr(space + 1);
    }
    result += line + '\n';
  }
  return result;
}

}  // namespace recombine
