#include "src/train/checkpoint_command.hpp"

#include "kernels/error.hpp"
#include "src/program/parse.hpp"

namespace recombine {

namespace {

constexpr double kMinutes = 10;  // the default if no option sets the interval

}  // namespace

po::options_description checkpoint_options() {
  po::options_description group("Checkpoints");
  group.add_options()("checkpoint", text_option("DIR"),
                      "write checkpoints to DIR: the weights, the moments, and how far training has come; also at the "
                      "end, and when the run is stopped (SIGUSR1, SIGTERM, --time-limit; exit code 75)")(
      "checkpoint-every", text_option("N"), "write one after every N steps")(
      "checkpoint-minutes", text_option("M"),
      "write one after every M minutes; default 10 if --checkpoint-every is absent")(
      "keep", text_option("K", "3"), "keep the newest K checkpoints, and remove older ones")(
      "resume", text_option("auto|FILE"),
      "continue from a checkpoint, on any number of ranks, mesh and device; auto: from the newest undamaged one in "
      "DIR, or from the beginning if DIR has no checkpoint");
  return group;
}

CheckpointCommand read_checkpoints(const OptionReader& reader) {
  CheckpointCommand command{.folder = reader.path("checkpoint"),
                            .every = reader.whole("checkpoint-every", {.least = 1}),
                            .minutes = reader.real("checkpoint-minutes", 0),
                            .keep = reader.whole("keep", {.least = 1}),
                            .resume = reader.path("resume"),
                            .quiet = reader.flag("quiet")};
  for (const char* const option : {"checkpoint-every", "checkpoint-minutes", "keep"}) {
    require_input(command.enabled() || !reader.given(option), "--{}: expected with --checkpoint DIR", option);
  }
  require_input(command.enabled() || !command.resumes_newest(),
                "--resume auto: expected with --checkpoint DIR; or --resume FILE");
  require_input(!reader.has("checkpoint-minutes") || command.minutes > 0,
                "--checkpoint-minutes {}: expected a number > 0", reader.string("checkpoint-minutes"));
  require_input(command.resume.empty() || !reader.has("load"),
                "--resume {}: gives the weights, and so does --load {}; expected only one of the two", command.resume,
                reader.string("load"));
  if (command.every == 0 && command.minutes == 0) command.minutes = kMinutes;
  return command;
}

}  // namespace recombine
