#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace recombine {

/// Prints on standard output. What cannot be written is told at the end of the program, by require_printed(): it is no
/// reason to lose what a run computes.
template <class... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
}

/// @throws Error if something of what was printed cannot be written, by this process or by the mpirun that started it
void require_printed();

/// One line on standard error for the user, such as TemporaryFile::note(); none for "".
void print_note(std::string_view program, const std::string& note);

/// The standard output of the mpirun that started this process, as a path; "" without mpirun.
std::string output_of_mpirun();

}  // namespace recombine
