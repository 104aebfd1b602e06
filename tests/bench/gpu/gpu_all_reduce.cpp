#include <algorithm>

#include <fmt/core.h>

#include "kernels/error.hpp"
#include "tests/bench/gpu/gpu_bench.hpp"

namespace recombine::bench {

namespace {

constexpr int kRounds = 7;

/// The largest `value` of all ranks. No rank continues before all have called it.
double largest(Communicator& world, Stream& host, double value) {
  world.all_reduce(host, vector_view(&value, 1), Reduction::max);
  host.synchronize();
  return value;
}

}  // namespace

void run_all_reduce(Session& session, Effort effort, Collectives collectives) {
  const bool quick = effort == Effort::quick;
  const auto device =
      make_device({.kind = DeviceKind::cuda, .progress = session.progress(), .local_rank = session.local_rank()});
  const auto world = make_world(session);
  const auto host = device->make_stream(StreamUse::host);
  const auto group = make_communicator(*world, *device, collectives, 0, session.rank());
  const auto stream = device->make_stream(StreamUse::communication);
  const std::int64_t unit = quick ? 1 << 10 : 1 << 20;
  const std::int64_t most = quick ? 4 : 256;
  const Buffer data(*device, DataType::f32, most * unit / 4);
  const auto compute = device->make_stream(StreamUse::compute);
  device->math().axpby(*compute, 0, {}, 0, data.view());  // zeros: repeated sums do not change them
  compute->synchronize();

  const auto seconds_of = [&](VectorView view, int calls) {
    largest(*world, *host, 0);
    const double start = Session::now();
    for (int i = 0; i < calls; ++i) group->all_reduce(*stream, view, Reduction::sum);
    stream->synchronize();
    return largest(*world, *host, (Session::now() - start) / calls);
  };
  const double ranks = session.size();
  for (std::int64_t units = 1; units <= most; units *= 4) {
    const VectorView view = data.view().range(0, units * unit / 4);
    const double once = std::max(seconds_of(view, 1), seconds_of(view, 1));
    const int calls = quick ? 1 : static_cast<int>(std::clamp(0.05 / once, 1.0, 200.0));
    std::vector<double> rounds;
    for (int round = 0; round < (quick ? 1 : kRounds); ++round) rounds.push_back(seconds_of(view, calls));
    std::ranges::sort(rounds);
    const double seconds = rounds[rounds.size() / 2];
    const double algbw = static_cast<double>(view.bytes()) / seconds * 1e-9;
    if (session.rank() != 0) continue;
    print({.part = "all_reduce",
           .name = fmt::format("{}, {} ranks, busbw", collectives == Collectives::nccl ? "nccl" : "staged", ranks),
           .size = fmt::format("{} {}", units, quick ? "KiB" : "MiB"),
           .seconds = seconds,
           .value = algbw * 2 * (ranks - 1) / ranks,
           .unit = "GB/s",
           .note = fmt::format("algbw {:.4g}", algbw)});
  }
}

}  // namespace recombine::bench
