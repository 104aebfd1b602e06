/// Measures how good the planner's choices are. For many shapes it runs all candidate plans in turn, in several rounds,
/// and compares the chosen plan with the best measured one. Prints a row per shape and a summary.
///
///     mpirun --bind-to none -np 2 ./planner_bench [--rounds 5]
///
/// A choice is a miss if its median is more than 10% above the best candidate's median, and also above the slowest run
/// of that candidate (so that the spread of the repeats does not count). The error of a prediction is
/// |predicted / measured - 1| of the chosen plan.

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include <fmt/core.h>

#include "distributed/matmul/calibrate.hpp"
#include "src/program/parse.hpp"
#include "src/program/rank_device.hpp"
#include "tests/bench/bench_product.hpp"

namespace recombine {
namespace {

/// Square, flat, tall, deep and uneven shapes, from products that fit a cache to products that take seconds.
std::vector<MatmulShape> shapes() {
  std::vector<MatmulShape> all;
  const auto add = [&](std::int64_t m, std::int64_t n, std::int64_t k) {
    for (const DataType type : {DataType::f32, DataType::f64}) all.push_back({m, n, k, type});
  };
  for (const std::int64_t s : {64, 128, 256, 384, 512, 768, 1024, 1536}) add(s, s, s);
  add(64, 64, 16384), add(128, 128, 8192), add(256, 256, 8192), add(32, 512, 8192);
  add(2048, 2048, 64), add(4096, 512, 64), add(1024, 1024, 16), add(3000, 1000, 100);
  add(8192, 64, 512), add(64, 8192, 512), add(4096, 16, 1024), add(16, 4096, 1024);
  add(1000, 700, 500), add(333, 1777, 900);
  return all;
}

struct Candidate {
  Plan plan;
  std::vector<double> seconds;
};

struct Outcome {
  double loss = 0;  ///< chosen / best measured - 1
  bool missed = false;
  double error = 0;  ///< |predicted / measured - 1| of the chosen
};

class PlannerBench {
 public:
  PlannerBench(Communicator& world, Device& device, std::int64_t rounds)
      : world_(world), device_(device), stream_(device.make_stream(StreamUse::communication)), rounds_(rounds) {
    for (const Mesh& mesh : meshes_of(world.size()))
      contexts_.push_back(std::make_unique<RankContext>(mesh, world, device));
    for (const DataType type : {DataType::f32, DataType::f64}) machines_[type] = measure_machine(world, device, type);
  }

  Outcome measure(const MatmulShape& shape) {
    std::vector<Candidate> candidates;
    for (const Plan& plan : plan_matmul(machines_.at(shape.type), shape, {})) candidates.push_back({plan, {}});
    std::map<std::string, bench::BenchProduct> products;
    for (const auto& context : contexts_) products.try_emplace(context->mesh().to_string(), *context, shape);
    const auto repeats = std::clamp(static_cast<int>(0.002 / candidates.front().plan.seconds()), 1, 50);
    for (std::int64_t round = -1; round < rounds_; ++round) {
      for (std::size_t c = 0; c < candidates.size(); ++c) {  // every round starts with another candidate
        Candidate& candidate = candidates[(c + static_cast<std::size_t>(round + 1)) % candidates.size()];
        bench::BenchProduct& product = products.at(candidate.plan.mesh.to_string());
        const double seconds = bench::seconds_of(world_, *stream_, [&] {
          for (int r = 0; r < repeats; ++r) product.run(candidate.plan);
        });
        if (round >= 0) candidate.seconds.push_back(seconds / repeats);
      }
    }
    return judge(shape, candidates);
  }

 private:
  Outcome judge(const MatmulShape& shape, const std::vector<Candidate>& candidates) const {
    const Candidate& chosen = candidates.front();
    const Candidate& best =
        *std::ranges::min_element(candidates, {}, [](const Candidate& c) { return bench::median(c.seconds); });
    const double measured = bench::median(chosen.seconds);
    Outcome outcome{.loss = measured / bench::median(best.seconds) - 1,
                    .error = std::abs(chosen.plan.seconds() / measured - 1)};
    outcome.missed = outcome.loss > 0.1 && measured > std::ranges::max(best.seconds);
    if (world_.rank() == 0) {
      fmt::print("{:<22}{:<22}{:<22}{:>10.3f}{:>10.3f}{:>10.3f}{:>8.1f}%{}\n",
                 fmt::format("{}x{}x{} {}", shape.m, shape.n, shape.k, name_of(shape.type)), chosen.plan.to_string(),
                 best.plan.to_string(), 1e3 * chosen.plan.seconds(), 1e3 * measured, 1e3 * bench::median(best.seconds),
                 100 * outcome.loss, outcome.missed ? " miss" : "");
    }
    return outcome;
  }

  Communicator& world_;
  Device& device_;
  std::unique_ptr<Stream> stream_;
  std::int64_t rounds_;
  std::vector<std::unique_ptr<RankContext>> contexts_;
  std::map<DataType, Machine> machines_;
};

int run(Session& session, int argc, char** argv) {
  const std::int64_t rounds =
      argc > 2 && std::string_view(argv[1]) == "--rounds" ? parse_whole("rounds", argv[2], {1}) : 5;
  const auto device = make_rank_device(session, {.kind = DeviceCommand::Kind::cpu}).device;
  const auto world = make_world(session);
  PlannerBench bench(*world, *device, rounds);
  const bool root = session.rank() == 0;
  if (root) {
    fmt::print("{:<22}{:<22}{:<22}{:>10}{:>10}{:>10}{:>9}\n", "m x n x k", "chosen", "best measured", "predicted",
               "measured", "best ms", "loss");
  }
  std::vector<double> errors;
  int misses = 0;
  for (const MatmulShape& shape : shapes()) {
    const Outcome outcome = bench.measure(shape);
    errors.push_back(outcome.error);
    misses += outcome.missed ? 1 : 0;
  }
  if (root) {
    fmt::print("np {}: {} of {} choices within 10% of the best; median error of predicted seconds {:.1f}%\n",
               session.size(), errors.size() - static_cast<std::size_t>(misses), errors.size(),
               100 * bench::median(errors));
  }
  return 0;
}

}  // namespace
}  // namespace recombine

int main(int argc, char** argv) {
  recombine::Session session(argc, argv);
  try {
    return recombine::run(session, argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "planner_bench: {}\n", error.what());
    recombine::Session::abort(recombine::kExitFailure);
  }
}
