#pragma once

#include <string>
#include <string_view>

namespace recombine {

/// Emphasis for text on a terminal; no change to text that goes elsewhere.
class TextStyle {
 public:
  /// For standard output: plain unless shown_on_terminal(), and if NO_COLOR is set (https://no-color.org).
  static TextStyle of_output();
  static TextStyle plain() { return TextStyle(""); }

  std::string heading(std::string_view text) const { return styled("1", text); }
  std::string result(std::string_view text) const { return styled("32", text); }
  std::string aside(std::string_view text) const { return styled("2", text); }

 private:
  explicit TextStyle(std::string_view escape) : escape_(escape) {}
  std::string styled(std::string_view code, std::string_view text) const;

  std::string_view escape_;  ///< begins a code of the terminal; "": plain text
};

}  // namespace recombine
