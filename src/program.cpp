#include "src/program.hpp"

#include <csignal>

#include <fmt/core.h>

#include "kernels/error.hpp"

namespace recombine {

namespace {

int run(std::string_view name, Session& session, int argc, char** argv, void (*work)(Session&, int, char**)) {
  try {
    work(session, argc, argv);
    return kExitSuccess;
  } catch (const InputError& error) {
    // Every rank has the same error: one speaks, and all leave in order.
    if (session.rank() == 0) fmt::print(stderr, "{}: {}\n", name, error.what());
    return kExitBadInput;
  } catch (const AgreedError& error) {
    if (session.rank() == 0) fmt::print(stderr, "{}: {}\n", name, error.what());
    return kExitFailure;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: rank {} on {}: {}\n", name, session.rank(), session.host(), error.what());
    Session::abort(kExitFailure);
  }
}

}  // namespace

int run_program(std::string_view name, int argc, char** argv, void (*work)(Session&, int, char**)) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond its limit is an error like a full disk, told and cleaned up after
  try {
    Session session(argc, argv);
    return run(name, session, argc, argv, work);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return kExitFailure;
  }
}

}  // namespace recombine
