#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace recombine {

/// The end of messages about damaged files.
inline constexpr const char* kExpectedNpy = "expected an array saved by numpy.save";

/// Bytes of a file as text for one line of a message; a long text is cut.
std::string printable(std::string_view bytes);

/// Parses the header of a .npy file, a Python literal, in every spelling that numpy reads:
///     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
/// Each function takes the next part of the text. @throws InputError that begins with `name` and shows the place
class NpyLiteral {
 public:
  NpyLiteral(const std::string& name, std::string_view text) : name_(name), text_(text) {}

  bool take(char c);    ///< takes `c` if it is next
  void expect(char c);  ///< takes `c`
  std::string_view quoted();
  bool truth();                         ///< True or False
  std::vector<std::int64_t> extents();  ///< (3, 4)
  std::string_view rest();              ///< without spaces and comments at its beginning
  [[noreturn]] void damaged() const;

 private:
  void skip_space();
  std::int64_t extent();

  const std::string& name_;
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace recombine
