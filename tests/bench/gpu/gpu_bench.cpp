// Measures the rates of a GPU's kernels, products and collectives, one line of JSON each. tests/gpu_check.sh runs it:
//
//     gpu_bench device | kernels | products [--quick]
//     mpirun -np N gpu_bench all_reduce nccl|staged [--quick]

#include "tests/bench/gpu/gpu_bench.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "kernels/error.hpp"

namespace recombine::bench {

namespace {

constexpr double kMostCalls = 1000;

struct Rounds {
  int count;
  double seconds;  ///< least seconds of one round
};

Rounds rounds_of(Effort effort) { return effort == Effort::full ? Rounds{7, 0.05} : Rounds{1, 0}; }

void print_device() {
  const auto device = make_device({.kind = DeviceKind::cuda});
  fmt::print("{}\n", nlohmann::ordered_json{{"device", device->description()}, {"gpus", cuda_device_count()}}.dump());
}

void run(Session& session, std::span<const std::string_view> arguments) {
  const bool quick = !arguments.empty() && arguments.back() == "--quick";
  const Effort effort = quick ? Effort::quick : Effort::full;
  const std::string_view part = arguments.empty() ? "" : arguments[0];
  if (part == "device") return print_device();
  if (part == "kernels") return run_kernels(effort);
  if (part == "products") return run_products(effort);
  const std::string_view route = arguments.size() > 1 ? arguments[1] : "";
  require_input(part == "all_reduce" && (route == "nccl" || route == "staged"),
                "gpu_bench: expected device, kernels, products, all_reduce nccl or all_reduce staged; then --quick or "
                "nothing");
  run_all_reduce(session, effort, route == "nccl" ? Collectives::nccl : Collectives::mpi);
}

}  // namespace

void print(const Rate& rate) {
  using nlohmann::ordered_json;
  const bool known = rate.ceiling > 0;
  const ordered_json line{{"part", rate.part},
                          {"name", rate.name},
                          {"size", rate.size},
                          {"seconds", rate.seconds},
                          {"value", rate.value},
                          {"unit", rate.unit},
                          {"ceiling", known ? ordered_json(rate.ceiling) : ordered_json()},
                          {"share", known ? ordered_json(rate.value / rate.ceiling) : ordered_json()},
                          {"note", rate.note}};
  fmt::print("{}\n", line.dump());
  std::fflush(stdout);
}

GpuBench::GpuBench(Effort effort, const DeviceOptions& options)
    : effort_(effort), device_(make_device(options)), stream_(device_->make_stream(StreamUse::compute)) {}

Buffer GpuBench::random(std::int64_t size, DataType type) {
  Buffer buffer(*device_, type, size);
  math().fill(*stream_, buffer.matrix(1, size), {.seed = 1, .global_cols = size, .half_width = 1});
  return buffer;
}

Buffer GpuBench::zeros(std::int64_t size, DataType type) {
  Buffer buffer(*device_, type, size);
  math().axpby(*stream_, 0, {}, 0, buffer.view());
  return buffer;
}

double GpuBench::seconds_of(const std::function<void()>& call) {
  const auto seconds = [&](int calls) {
    const double start = Session::now();
    for (int i = 0; i < calls; ++i) call();
    stream_->synchronize();
    return (Session::now() - start) / calls;
  };
  seconds(1);  // the first calls load the kernel and make the plan
  const double once = seconds(1);
  const Rounds rounds = rounds_of(effort_);
  const int calls = static_cast<int>(std::clamp(std::ceil(rounds.seconds / once), 1.0, kMostCalls));
  std::vector<double> times;
  for (int round = 0; round < rounds.count; ++round) times.push_back(seconds(calls));
  std::ranges::sort(times);
  return times[times.size() / 2];
}

}  // namespace recombine::bench

int main(int argc, char** argv) {
  recombine::Session session(argc, argv);
  try {
    recombine::bench::run(session, std::vector<std::string_view>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    fmt::print(stderr, "gpu_bench: {}\n", error.what());
    recombine::Session::abort(recombine::kExitFailure);
  }
}
