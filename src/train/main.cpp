#include "src/program/command_line.hpp"
#include "src/program/program.hpp"
#include "src/program/start.hpp"
#include "src/report/standard_output.hpp"
#include "src/train/options.hpp"
#include "src/train/run.hpp"

namespace recombine {
namespace {

void train(Session& session, int argc, char** argv) {
  TrainCommand command;
  agree_on_start(session, "train", [&] {  // each rank reads --config on its own host
    command = parse_train_command(argc, argv);
    return command.options;
  });
  if (command.action == TrainCommand::Action::train) return run_training(session, command);
  if (session.rank() == 0) {
    print("{}\n", command.action == TrainCommand::Action::help ? train_help() : version());
  }
}

}  // namespace
}  // namespace recombine

int main(int argc, char** argv) { return recombine::run_program("train", argc, argv, recombine::train); }
