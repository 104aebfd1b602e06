#include "src/explain/text_layout.hpp"

namespace recombine {

std::string equation(std::span<const EquationPart> parts, std::string_view indent) {
  std::string text;
  std::vector<TextBlock> row;
  std::size_t width = indent.size();
  for (const EquationPart& part : parts) {
    const std::size_t wanted = part.before.size() + width_of(part.block);
    if (!row.empty() && width + wanted > kLineWidth) {
      text += side_by_side(row, indent);
      row.clear();
      width = indent.size();
    }
    row.push_back({part.before});
    row.push_back(part.block);
    width += wanted;
  }
  return row.empty() ? text : text + side_by_side(row, indent);
}

TextBlock wrapped(std::string_view words, std::size_t width) {
  TextBlock lines;
  while (!words.empty()) {
    const std::size_t end = words.find(' ');
    const std::string_view word = words.substr(0, end);
    words.remove_prefix(end == std::string_view::npos ? words.size() : end + 1);
    if (lines.empty() || lines.back().size() + 1 + word.size() > width) {
      lines.emplace_back(word);
    } else {
      lines.back().append(" ").append(word);
    }
  }
  return lines;
}

std::string paragraph(std::string_view words, std::string_view indent) {
  return side_by_side({wrapped(words, kLineWidth - indent.size())}, indent);
}

}  // namespace recombine
