#include "src/train/collect_result.hpp"

#include <algorithm>
#include <utility>

namespace recombine {

namespace {

/// The parts of a rank's time in which it works, and does not wait for other ranks.
constexpr std::array<std::pair<const char*, double TimeSpent::*>, 3> kWork = {
    {{"compute", &TimeSpent::compute}, {"input", &TimeSpent::input}, {"other", &TimeSpent::other}}};

double work_of(const TimeSpent& time) {
  double sum = 0;
  for (const auto& [name, part] : kWork) sum += time.*part;
  return sum;
}

TimeSpent mean_of(const std::vector<TimeSpent>& times) {
  TimeSpent mean;
  const auto count = static_cast<double>(times.size());
  for (const TimeSpent& time : times) {
    mean.compute += time.compute / count;
    mean.exposed_communication += time.exposed_communication / count;
    mean.input += time.input / count;
    mean.evaluation += time.evaluation / count;
    mean.other += time.other / count;
  }
  return mean;
}

/// Every rank's `own`, in the order of the ranks.
std::vector<TimeSpent> times_of_ranks(const TimeSpent& own, Communicator& world, Stream& stream) {
  constexpr std::int64_t kDoubles = sizeof(TimeSpent) / sizeof(double);
  std::vector<TimeSpent> times(static_cast<std::size_t>(world.size()));
  times[static_cast<std::size_t>(world.rank())] = own;
  const std::vector<std::int64_t> counts(times.size(), kDoubles);
  world.all_gather(stream, vector_view(reinterpret_cast<double*>(times.data()), kDoubles * world.size()), counts);
  stream.synchronize();
  return times;
}

}  // namespace

SlowestRank slowest_rank(const std::vector<TimeSpent>& times) {
  const auto slowest = std::ranges::max_element(times, {}, work_of);
  const TimeSpent mean = mean_of(times);
  const auto excess = [&](const auto& part) { return *slowest.*part.second - mean.*part.second; };
  return {.rank = static_cast<int>(slowest - times.begin()),
          .seconds = work_of(*slowest),
          .mean_seconds = work_of(mean),
          .part = std::ranges::max_element(kWork, {}, excess)->first};
}

MemoryBytes largest_bytes(MemoryBytes own, Communicator& world, Stream& stream) {
  world.all_reduce(stream, vector_view(own.by_use.data(), own.by_use.size()), Reduction::max);
  stream.synchronize();
  return own;
}

RunResult collect_result(RankContext& context, const Trainer& trainer, const EpochRecord& last, Communicator& world,
                         Stream& stream) {
  const std::vector<TimeSpent> times = times_of_ranks(trainer.time(), world, stream);
  double flops = trainer.flops();
  world.all_reduce(stream, vector_view(&flops, 1), Reduction::sum);
  stream.synchronize();
  RunResult result{.time = mean_of(times),
                   .flops = flops,
                   .samples = trainer.state().samples,
                   .steps = trainer.state().step,
                   .epochs = last.epoch,
                   .train_loss = last.train_loss,
                   .test = last.test,
                   .validation = last.validation,
                   .collectives = context.journal().totals()};
  const bool measured = result.steps > 0 && context.device().kind() == DeviceKind::cpu;
  if (world.size() > 1 && measured) result.slowest = slowest_rank(times);
  return result;
}

}  // namespace recombine
