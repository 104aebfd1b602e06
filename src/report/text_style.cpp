#include "src/report/text_style.hpp"

#include <cstdlib>

#include <fmt/format.h>

#include "src/report/standard_output.hpp"

namespace recombine {

TextStyle TextStyle::of_output() {
  const char* const unwanted = std::getenv("NO_COLOR");
  const bool wanted = unwanted == nullptr || *unwanted == '\0';
  return TextStyle(wanted && shown_on_terminal() ? "\x1b[" : "");
}

std::string TextStyle::styled(std::string_view code, std::string_view text) const {
  if (escape_.empty()) return std::string(text);
  return fmt::format("{}{}m{}{}0m", escape_, code, text, escape_);
}

}  // namespace recombine
