#include "distributed/matmul/calibrate.hpp"

#include <algorithm>
#include <array>
#include <ranges>

#include "distributed/dist_matrix.hpp"
#include "distributed/ring.hpp"
#include "distributed/session.hpp"
#include "kernels/math.hpp"

namespace recombine {

namespace {

struct ProductForm {
  std::int64_t m, n, k;
};
// Large, flat, thin, deep and small products: each constant of the model matters in one of them.
constexpr std::array kForms = {ProductForm{128, 128, 128},  ProductForm{768, 768, 768},  ProductForm{1024, 1024, 64},
                               ProductForm{96, 1024, 768},  ProductForm{1024, 96, 768},  ProductForm{96, 96, 4096},
                               ProductForm{384, 384, 384},  ProductForm{16, 16, 16},     ProductForm{2048, 768, 256},
                               ProductForm{16, 2048, 1024}, ProductForm{2048, 16, 1024}, ProductForm{1024, 1024, 16}};
constexpr std::array<std::int64_t, 3> kBytes = {std::int64_t{4} << 10, std::int64_t{256} << 10, std::int64_t{4} << 20};
constexpr int kRepeats = 3;
constexpr double kShortestFlops = 2e7;  // shorter products are timed several in a row
constexpr double kTooLong = 1;          // seconds; forms that would take more, by the rate of the first, are left out

double flops_of(const ProductForm& form) {
  return 2 * static_cast<double>(form.m) * static_cast<double>(form.n) * static_cast<double>(form.k);
}

/// Runs work on all ranks at once, and times it on the slowest rank.
class Timer {
 public:
  Timer(Communicator& world, Device& device) : world_(world), stream_(device.make_stream(StreamUse::host)) {
    for (int repeat = 0; repeat < kBarriers; ++repeat) {
      const double start = Session::now();
      slowest(0);
      const double time = slowest(Session::now() - start);
      barrier_ = repeat == 0 ? time : std::min(barrier_, time);
    }
  }

  /// Seconds of one run. Measures `runs` runs in a row a few times, each on the slowest rank, and returns the fastest
  /// measurement; the first is not counted.
  template <class Run>
  double seconds(int runs, const Run& run) {
    double best = 0;
    for (int repeat = 0; repeat <= kRepeats; ++repeat) {
      slowest(0);
      const double start = Session::now();
      for (int r = 0; r < runs; ++r) run();
      const double own = slowest(Session::now() - start);
      // Ranks that share a core run one after the other: the time until the last has finished counts.
      const double all = slowest(Session::now() - start) - barrier_;
      const double time = std::max(own, all) / runs;
      if (repeat == 1 || (repeat > 1 && time < best)) best = time;
    }
    return best;
  }

 private:
  double slowest(double value) {
    world_.all_reduce(*stream_, vector_view(&value, 1), Reduction::max);
    stream_->synchronize();
    return value;
  }

  static constexpr int kBarriers = 10;

  Communicator& world_;
  std::unique_ptr<Stream> stream_;
  double barrier_ = 0;
};

double time_product(Timer& timer, Device& device, DataType type, const ProductForm& form) {
  const auto stream = device.make_stream(StreamUse::compute);
  const Buffer a(device, type, form.k * form.m);
  const Buffer b(device, type, form.k * form.n);
  const Buffer c(device, MatmulShape{.type = type}.result_type(), form.m * form.n);
  device.math().fill(*stream, a.matrix(form.k, form.m), {.global_cols = form.m, .half_width = 1});
  device.math().fill(*stream, b.matrix(form.k, form.n), {.global_cols = form.n, .half_width = 1});
  device.math().axpby(*stream, 0, {}, 0, c.view());
  const int runs = static_cast<int>(std::clamp(kShortestFlops / flops_of(form), 1.0, 50.0));
  return timer.seconds(runs, [&] {
    device.math().gemm(*stream, {.a = a.matrix(form.k, form.m),
                                 .trans_a = Transpose::yes,
                                 .b = b.matrix(form.k, form.n),
                                 .c = c.matrix(form.m, form.n),
                                 .beta = 1});
    stream->synchronize();
  });
}

/// Least squares of the relative error over the forms, no constant below zero (coordinate descent).
Machine::Product fit(const std::vector<std::pair<ProductForm, double>>& times) {
  std::array<double, 5> x{};
  std::vector<std::array<double, 5>> rows;
  for (const auto& [form, seconds] : times) {
    const auto [m, n, k] =
        std::array{static_cast<double>(form.m), static_cast<double>(form.n), static_cast<double>(form.k)};
    rows.push_back({1 / seconds, 2 * m * n * k / seconds, m * k / seconds, k * n / seconds, m * n / seconds});
  }
  static constexpr int kSweeps = 2000;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (std::size_t p = 0; p < x.size(); ++p) {
      double above = 0;
      double below = 0;
      for (const auto& row : rows) {
        double rest = 1;
        for (std::size_t q = 0; q < x.size(); ++q) rest -= q == p ? 0 : row[q] * x[q];
        above += row[p] * rest;
        below += row[p] * row[p];
      }
      x[p] = std::max(0.0, above / below);
    }
  }
  return {.per_call = x[0], .per_flop = x[1], .per_a = x[2], .per_b = x[3], .per_result = x[4]};
}

bool sums_terms(Collective collective) {
  return collective == Collective::all_reduce || collective == Collective::reduce_scatter;
}

void run_collective(Communicator& group, Stream& stream, Collective collective, VectorView data, VectorView other) {
  const std::vector<std::int64_t> counts = row_shard_sizes(data.size, 1, group.size());
  switch (collective) {
    case Collective::all_gather: group.all_gather(stream, data, counts); break;
    case Collective::broadcast: group.broadcast(stream, data, 0); break;
    case Collective::shift: shift(group, stream, data, other, 1); break;
    case Collective::all_reduce: group.all_reduce(stream, data, Reduction::sum); break;
    case Collective::reduce_scatter: group.reduce_scatter(stream, data, counts, Reduction::sum); break;
  }
  stream.synchronize();
}

}  // namespace

Machine measure_machine(Communicator& world, Device& device, DataType type, Collectives collectives) {
  Machine machine{.np = world.size(), .type = type};
  Timer timer(world, device);
  std::vector<std::pair<ProductForm, double>> times;
  for (const ProductForm& form : kForms) {
    const double expected = times.empty() ? 0 : times.front().second / flops_of(kForms.front()) * flops_of(form);
    if (expected < kTooLong) times.emplace_back(form, time_product(timer, device, type, form));
  }
  machine.product = fit(times);

  const std::int64_t largest = kBytes.back() / size_of(DataType::f32);
  const Buffer data(device, DataType::f32, largest);
  const Buffer other(device, DataType::f32, largest);
  const auto compute = device.make_stream(StreamUse::compute);
  device.math().axpby(*compute, 0, {}, 0, data.view());
  device.math().axpby(*compute, 0, {}, 0, other.view());
  compute->synchronize();
  for (int ranks = 2; ranks <= world.size(); ++ranks) {
    if (world.size() % ranks != 0) continue;
    const auto group = make_communicator(world, device, collectives, world.rank() / ranks, world.rank() % ranks);
    const auto stream = device.make_stream(StreamUse::communication);
    const Buffer sums = group->allocate(device, DataType::f32, largest, MemoryUse::buffers);  // as C is allocated
    device.math().axpby(*compute, 0, {}, 0, sums.view());
    compute->synchronize();
    for (const Collective collective : kCollectives) {
      std::vector<Machine::Sample>& samples = machine.collectives[{collective, ranks}];
      for (const std::int64_t bytes : kBytes | std::views::reverse) {  // largest first: it touches all memory
        const std::int64_t size = bytes / size_of(DataType::f32);
        const double seconds = timer.seconds(1, [&] {  // one run, as between products: in a row they are faster
          const Buffer& own = sums_terms(collective) ? sums : data;
          run_collective(*group, *stream, collective, own.view().range(0, size), other.view().range(0, size));
        });
        samples.push_back({static_cast<double>(bytes), seconds});
      }
      std::ranges::reverse(samples);
    }
  }
  return machine;
}

}  // namespace recombine
