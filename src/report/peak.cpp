#include "src/report/peak.hpp"

#include <algorithm>

#include "distributed/matmul/schedule.hpp"
#include "distributed/session.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kTrial = 128;  // size of the first product, which predicts the time of a usual one
constexpr std::int64_t kUsual = 1024;
constexpr double kTooLong = 0.15;  // seconds: if a usual product would take more, the first one is the measure
constexpr std::int64_t kLargest = 16384;
constexpr double kLongEnough = 2e-3;  // seconds: if a product takes less, a larger one is measured
constexpr int kRounds = 5;
constexpr double kPatience = 0.3;  // seconds after which no further round begins

/// The fastest of a few square products on all ranks at once, in seconds, as the slowest rank saw it.
double fastest_product(RankContext& context, Communicator& world, Stream& stream, DataType type, std::int64_t size) {
  const Buffer a(context.device(), type, size * size);
  const Buffer b(context.device(), type, size * size);
  const Buffer c(context.device(), MatmulShape{.type = type}.result_type(), size * size);
  std::uint64_t tensor = 0;
  for (const Buffer* m : {&a, &b}) {
    context.math().fill(context.compute(), m->matrix(size, size),
                        {.tensor = tensor++, .global_cols = size, .half_width = 1});
  }
  context.compute().synchronize();
  double best = 0;
  double spent = 0;
  for (int round = 0; round <= kRounds && (round < 2 || spent < kPatience); ++round) {
    double seconds = 0;
    world.all_reduce(stream, vector_view(&seconds, 1), Reduction::max);  // all start together
    stream.synchronize();
    const double start = Session::now();
    context.math().gemm(
        context.compute(),
        {.a = a.matrix(size, size), .b = b.matrix(size, size), .trans_b = Transpose::yes, .c = c.matrix(size, size)});
    context.compute().synchronize();
    seconds = Session::now() - start;
    world.all_reduce(stream, vector_view(&seconds, 1), Reduction::max);
    stream.synchronize();
    spent += seconds;
    if (round == 1 || (round > 1 && seconds < best)) best = seconds;  // round 0 prepares the library
  }
  return best;
}

}  // namespace

double measure_peak_gflops(RankContext& context, Communicator& world, Stream& stream, DataType type) {
  std::int64_t size = kTrial;
  double seconds = fastest_product(context, world, stream, type, size);
  constexpr std::int64_t kWider = kUsual / kTrial;
  constexpr auto kLonger = static_cast<double>(kWider * kWider * kWider);
  if (seconds * kLonger < kTooLong) {
    size = kUsual;
    seconds = fastest_product(context, world, stream, type, size);
  }
  while (seconds < kLongEnough && size < kLargest) {
    size *= 2;
    seconds = fastest_product(context, world, stream, type, size);
  }
  return 2.0 * static_cast<double>(size) * static_cast<double>(size * size) * world.size() / seconds / 1e9;
}

}  // namespace recombine
