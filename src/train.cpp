#include <fmt/core.h>

#include "distributed/session.hpp"
#include "kernels/error.hpp"
#include "src/train_options.hpp"
#include "src/train_run.hpp"

namespace recombine {
namespace {

int run(Session& session, int argc, char** argv) {
  try {
    const TrainCommand command = parse_train_command(argc, argv);
    if (command.action == TrainCommand::Action::train) {
      run_training(session, command);
    } else if (session.rank() == 0) {
      fmt::print("{}\n", command.action == TrainCommand::Action::help ? train_help() : version());
    }
    return kExitSuccess;
  } catch (const InputError& error) {
    // Every rank has the same error: one speaks, and all leave in order.
    if (session.rank() == 0) fmt::print(stderr, "train: {}\n", error.what());
    return kExitBadInput;
  } catch (const std::exception& error) {
    fmt::print(stderr, "train: rank {} on {}: {}\n", session.rank(), session.host(), error.what());
    Session::abort(kExitFailure);
  }
}

}  // namespace
}  // namespace recombine

int main(int argc, char** argv) {
  try {
    recombine::Session session(argc, argv);
    return recombine::run(session, argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "train: {}\n", error.what());
    return recombine::kExitFailure;
  }
}
