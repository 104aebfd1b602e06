#include <memory>
#include <utility>

#include "kernels/error.hpp"
#include "src/program/command_line.hpp"
#include "src/program/program.hpp"
#include "src/program/start.hpp"
#include "src/report/standard_output.hpp"
#include "src/train/options.hpp"
#include "src/train/run.hpp"
#include "src/train/stop_request.hpp"

namespace recombine {
namespace {

int train(Session& session, StopRequest& stop, int argc, char** argv) {
  TrainCommand command;
  agree_on_start(session, "train", [&] {  // each rank reads --config on its own host
    command = parse_train_command(argc, argv);
    return command.options;
  });
  if (!command.checkpoints.enabled()) stop.release();
  if (command.time_limit) stop.limit_time(*command.time_limit, command.time_limit_text);
  if (command.action == TrainCommand::Action::train) {
    const int code = run_training(session, command, stop);
    if (code == kExitStopped) stop.ignore_signals();  // a late signal asks for a stop that has already happened
    return code;
  }
  if (session.rank() == 0) {
    print("{}\n", command.action == TrainCommand::Action::help ? train_help() : version());
  }
  return kExitSuccess;
}

}  // namespace
}  // namespace recombine

int main(int argc, char** argv) {
  using namespace recombine;
  std::unique_ptr<StopRequest> stop;
  const auto work = [&](Session& session, int count, char** words) {
    // `taken` ends before MPI_Finalize, so a SIGTERM from mpirun ends this rank there. Otherwise a SIGKILL would
    // follow, and the watcher would report it.
    const std::unique_ptr<StopRequest> taken = std::move(stop);
    return train(session, *taken, count, words);
  };
  return run_program({.name = "train", .before_start = [&] { stop = std::make_unique<StopRequest>(); }, .work = work},
                     argc, argv);
}
