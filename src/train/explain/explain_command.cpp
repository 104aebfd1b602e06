#include "src/train/explain/explain_command.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kSteps = 2, kMostSteps = 5;

}  // namespace

std::int64_t read_explained_steps(const OptionReader& reader) {
  if (!reader.flag("explain")) return 0;
  for (const char* const option : {"save", "predictions", "metrics", "summary", "checkpoint", "resume", "evaluate",
                                   "validation", "test", "compare-batching", "quiet"}) {
    require_input(!reader.given(option),
                  "--{}: expected without --explain, which prints the first training steps and writes no file", option);
  }
  require_input(reader.whole("accumulate", {.least = 1}) == 1, "--accumulate {}: expected 1 with --explain",
                reader.string("accumulate"));
  require_input(reader.string("precision") == "f32", "--precision {}: expected f32 with --explain",
                reader.string("precision"));
  require_input(reader.given("data"),
                "--explain: expected --data with a small table; an example: --config launch/examples/ad_spend.cfg "
                "--explain");
  const std::int64_t steps = reader.whole("steps", {.least = 1}, kSteps);
  require_input(steps <= kMostSteps, "--steps {}: expected at most {} with --explain", steps, kMostSteps);
  return steps;
}

}  // namespace recombine
