#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

#include <fmt/core.h>

namespace recombine {

/// Exit codes of the programs.
enum ExitCode : int {
  kExitSuccess = 0,
  kExitFailure = 1,   ///< a library call or a rank failed
  kExitBadInput = 2,  ///< an option, a file or a shape is wrong; nothing was written
  kExitStopped = 75,  ///< stopped on request after a checkpoint; EX_TEMPFAIL of sysexits.h: start it again
};

/// A library call or an invariant has failed. The message is one line.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An Error that every rank throws with the same message, so one rank prints it.
class AgreedError : public Error {
 public:
  using Error::Error;
};

/// The user's input is wrong. The message names the option or file and says what is expected.
/// Every rank must throw it, with the same message (distributed/session.hpp: agree()).
class InputError : public Error {
 public:
  using Error::Error;
};

/// A format string with the place in the source code where it is written.
template <class... Args>
struct LocatedFormat {
  template <class T>
  consteval LocatedFormat(const T& text, std::source_location here = std::source_location::current())
      : format(text), place(here) {}
  fmt::format_string<Args...> format;
  std::source_location place;
};

/// Throws Error(message and place) unless `ok`. For invariants and library calls, not for user input.
template <class... Args>
void require(bool ok, LocatedFormat<std::type_identity_t<Args>...> text, Args&&... args) {
  if (ok) return;
  throw Error(fmt::format("{} ({}:{})", fmt::format(text.format, std::forward<Args>(args)...), text.place.file_name(),
                          text.place.line()));
}

/// Throws InputError unless `ok`.
template <class... Args>
void require_input(bool ok, fmt::format_string<Args...> text, Args&&... args) {
  if (!ok) throw InputError(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace recombine
