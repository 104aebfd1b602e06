#include "src/train/batching_command.hpp"

#include <utility>

namespace recombine {

namespace {

/// Options that --compare-batching refuses, and why.
constexpr std::pair<const char*, const char*> kRefused[] = {
    {"save", "ends with three models"},
    {"predictions", "ends with three models"},
    {"metrics", "has three trainings; --summary FILE has their curves"},
    {"checkpoint", "writes no checkpoints"},
    {"resume", "begins with the first weights; --load FILE sets them"},
    {"time-limit", "writes no checkpoints"},
    {"steps", "gives each training the same number of epochs"},
    {"accumulate", "decides how many rows an update has"},
    {"patience", "gives each training the same number of epochs"}};

void refuse_flag(const OptionReader& reader, const char* flag, const char* why) {
  require_input(!reader.flag(flag), "--{}: --compare-batching {}; expected only one of the two", flag, why);
}

}  // namespace

po::options_description batching_options() {
  po::options_description group("Comparison");
  group.add_options()(
      "compare-batching", po::bool_switch(),
      "train three times from the same first weights: with an update after each row (stochastic), after each "
      "mini-batch of --batch-size rows, and after all rows (batch); compare epochs, seconds and the final weights. "
      "Defaults are then: --optimizer sgd, --lr-schedule constant, a small --lr, small networks for images")(
      "until-loss", text_option("L"),
      "compare when the loss of all training rows is at most L; default: 99% of the way from the first loss to the "
      "highest one at the end")("plot", text_option("FILE"),
                                "draw the loss against epochs and seconds to FILE, as SVG (needs matplotlib)");
  return group;
}

BatchingCommand read_batching(const OptionReader& reader) {
  BatchingCommand command{.enabled = reader.flag("compare-batching"), .plot = reader.path("plot")};
  if (reader.has("until-loss")) command.until_loss = reader.real("until-loss", 0);
  if (!command.enabled) {
    for (const char* const option : {"until-loss", "plot"}) {
      require_input(!reader.given(option), "--{} {}: expected with --compare-batching", option, reader.string(option));
    }
    return command;
  }
  for (const auto& [option, why] : kRefused) {
    require_input(!reader.given(option), "--{} {}: --compare-batching {}; expected only one of the two", option,
                  reader.string(option), why);
  }
  require_input(command.plot.empty() || command.plot.ends_with(".svg"),
                "--plot {}: expected a name that ends with .svg", command.plot);
  refuse_flag(reader, "evaluate", "trains");
  refuse_flag(reader, "keep-best", "compares the weights of the last epoch");
  command.chooses_optimizer = !reader.given("optimizer");
  command.chooses_schedule = !reader.given("lr-schedule");
  return command;
}

}  // namespace recombine
