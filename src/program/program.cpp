#include "src/program/program.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "distributed/host/host_links.hpp"
#include "distributed/host/rank_watcher.hpp"
#include "kernels/error.hpp"
#include "src/program/lone_rank.hpp"
#include "src/program/thread_waits.hpp"
#include "src/report/standard_output.hpp"

namespace recombine {

namespace {

/// A message may quote a file, so its control characters are shown by number. The middle of a very long message is left
/// out: its beginning names the option, its end says what is expected.
std::string one_line(std::string_view message) {
  static constexpr std::size_t kLongest = 2000;
  std::string shown(message);
  if (shown.size() > kLongest) shown.replace(kLongest / 2, shown.size() - kLongest, " ... ");
  std::string line;
  for (const char c : shown) {
    const auto code = static_cast<unsigned char>(c);
    line += code < 0x20 || code == 0x7F ? fmt::format("\\x{:02x}", code) : std::string(1, c);
  }
  return line;
}

int run(const Program& program, Session& session, int argc, char** argv) {
  try {
    const int code = program.work(session, argc, argv);
    agree(session, require_printed);
    return code;
  } catch (const InputError& error) {
    // Every rank has the same error: rank 0 prints it, and all ranks end normally.
    if (session.rank() == 0) print_error(fmt::format("{}: {}", program.name, one_line(error.what())));
    return kExitBadInput;
  } catch (const AgreedError& error) {
    if (session.rank() == 0) print_error(fmt::format("{}: {}", program.name, one_line(error.what())));
    return kExitFailure;
  }
}

std::string message_of(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
  }
  return "an unknown error";
}

/// An uncaught exception is local to this rank. Prints it before any destructor runs: collective destructors (windows,
/// communicators) would wait for ranks that have not failed.
[[noreturn]] void end_all_ranks() {
  const std::string place = Session::place() + ": ";
  const std::string message = message_of(std::current_exception());
  print_error(fmt::format("{}: {}{}", program_invocation_short_name, message.starts_with(place) ? "" : place,
                          one_line(message)));
  Session::abort(kExitFailure);
}

}  // namespace

int run_program(const Program& program, int argc, char** argv) {
  let_threads_wait_briefly(argv);  // may start the program again, which would reset signal handlers
  std::signal(SIGXFSZ, SIG_IGN);   // then a write beyond the file-size limit fails like a write to a full disk
  std::optional<Session> session;
  try {
    if (program.before_start) program.before_start();
    start_rank_watcher(program.name);
    session.emplace(argc, argv);
    if (const auto lone = find_lone_rank(session->size(), [](const char* name) { return std::getenv(name); })) {
      if (lone->prints) print_error(fmt::format("{}: {}", program.name, lone->message));
      return kExitBadInput;
    }
    introduce_to_watcher(session->rank(), session->host());
    watch_other_hosts(*session);
  } catch (const std::exception& error) {
    print_error(fmt::format("{}: {}", program.name, error.what()));
    return kExitFailure;
  }
  std::set_terminate(end_all_ranks);
  return run(program, *session, argc, argv);
}

}  // namespace recombine
