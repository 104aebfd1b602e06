#include "src/data/shown.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace recombine {

namespace {

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }  // UTF-8

}  // namespace

std::string shown(std::string_view text) {
  static constexpr std::size_t kMost = 60;
  std::size_t length = std::min(text.size(), kMost);
  while (length < text.size() && length > 0 && continues_character(text[length])) --length;
  std::string line = "'";
  for (const char c : text.substr(0, length)) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (code < 0x20 || code == 0x7F) {
      line += fmt::format("\\x{:02x}", code);
    } else {
      line += c;
    }
  }
  return line + (length < text.size() ? "...'" : "'");
}

std::string shown_list(const std::vector<std::string>& texts, std::size_t most) {
  const std::size_t count = std::min(texts.size(), most);
  std::string list;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) list += i + 1 == texts.size() ? " and " : ", ";
    list += shown(texts[i]);
  }
  return list + (texts.size() > count ? fmt::format(" and {} more", texts.size() - count) : "");
}

std::string as_option(const std::vector<std::string>& names) {
  std::string value;
  for (const std::string& name : names) {
    if (!value.empty()) value += ',';
    value += name.find(',') == std::string::npos ? name : '"' + name + '"';
  }
  const bool plain = std::ranges::all_of(value, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-.,").find(c) != std::string_view::npos;
  });
  return plain ? value : '\'' + value + '\'';
}

}  // namespace recombine
