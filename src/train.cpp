#include "src/command_line.hpp"
#include "src/program.hpp"
#include "src/report/standard_output.hpp"
#include "src/start.hpp"
#include "src/train_options.hpp"
#include "src/train_run.hpp"

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
