#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace recombine {

/// Prints on standard output. A failure is reported only at the end of the program, by require_printed(): it must not
/// end a run and lose its results.
template <class... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
}

/// @throws Error if this process, or the mpirun that started it, could not write all of the printed text
void require_printed();

/// Prints one line on standard error. If that fails, the line is lost; the exit code still reports the failure.
void print_error(const std::string& line);

/// Prints one line for the user on standard error, such as TemporaryFile::note(); nothing if `note` is "".
void print_note(std::string_view program, const std::string& note);

/// True if standard output is a terminal that knows escape codes. mpirun gives its ranks a pseudo-terminal, so mpirun's
/// own output is checked too. A terminal with TERM unset or "dumb" supports no escape codes.
bool shown_on_terminal();

/// The standard output of the mpirun that started this process, as a path; "" without mpirun.
std::string output_of_mpirun();

}  // namespace recombine
