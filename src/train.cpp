#include <fmt/core.h>

#include "src/command_line.hpp"
#include "src/program.hpp"
#include "src/train_options.hpp"
#include "src/train_run.hpp"

namespace recombine {
namespace {

void train(Session& session, int argc, char** argv) {
  TrainCommand command;
  agree(session, [&] { command = parse_train_command(argc, argv); });  // each reads --config on its own host
  if (command.action == TrainCommand::Action::train) return run_training(session, command);
  if (session.rank() == 0) {
    fmt::print("{}\n", command.action == TrainCommand::Action::help ? train_help() : version());
  }
}

}  // namespace
}  // namespace recombine

int main(int argc, char** argv) { return recombine::run_program("train", argc, argv, recombine::train); }
