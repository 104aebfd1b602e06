#include "kernels/error.hpp"
#include "src/matmul/options.hpp"
#include "src/matmul/run.hpp"
#include "src/program/command_line.hpp"
#include "src/program/program.hpp"
#include "src/program/start.hpp"
#include "src/report/standard_output.hpp"

namespace recombine {
namespace {

int matmul(Session& session, int argc, char** argv) {
  using Action = MatmulCommand::Action;
  MatmulCommand command;
  agree_on_start(session, "matmul", [&] {  // each rank reads --config on its own host
    command = parse_matmul_command(argc, argv);
    return command.options;
  });
  if (command.action == Action::multiply || command.action == Action::plan) {
    run_matmul(session, command);
  } else if (session.rank() == 0) {
    print("{}\n", command.action == Action::help ? matmul_help() : version());
  }
  return kExitSuccess;
}

}  // namespace
}  // namespace recombine

int main(int argc, char** argv) {
  return recombine::run_program({.name = "matmul", .before_start = {}, .work = recombine::matmul}, argc, argv);
}
