#include "src/report/peak.hpp"

#include <cmath>
#include <memory>

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
constexpr double kPatience = 0.3;   // seconds after which no further round begins
constexpr double kSustained = 0.2;  // seconds of products on a GPU; after some of them its power limit lowers its clock

/// The same square product on all ranks at once.
class SquareProduct {
 public:
  SquareProduct(RankContext& context, Communicator& world, Stream& stream, DataType type, std::int64_t size)
      : context_(context),
        world_(world),
        stream_(stream),
        size_(size),
        a_(context.device(), type, size * size),
        b_(context.device(), type, size * size),
        c_(context.device(), MatmulShape{.type = type}.result_type(), size * size) {
    std::uint64_t tensor = 0;
    for (const Buffer* m : {&a_, &b_}) {
      context.math().fill(context.compute(), m->matrix(size, size),
                          {.tensor = tensor++, .global_cols = size, .half_width = 1});
    }
    context.compute().synchronize();
  }

  /// Seconds of `count` products, one after the other, on the slowest rank. All ranks start together.
  double time(std::int64_t count) {
    slowest(0);
    const double start = Session::now();
    for (std::int64_t i = 0; i < count; ++i) {
      context_.math().gemm(context_.compute(), {.a = a_.matrix(size_, size_),
                                                .b = b_.matrix(size_, size_),
                                                .trans_b = Transpose::yes,
                                                .c = c_.matrix(size_, size_)});
    }
    context_.compute().synchronize();
    return slowest(Session::now() - start);
  }

  /// The shortest time of one product in a few rounds.
  double shortest_time() {
    double best = 0;
    double spent = 0;
    for (int round = 0; round <= kRounds && (round < 2 || spent < kPatience); ++round) {
      const double seconds = time(1);
      spent += seconds;
      if (round == 1 || (round > 1 && seconds < best)) best = seconds;  // round 0 prepares the library
    }
    return best;
  }

  /// Operations per second of all ranks together, if one product takes `seconds`.
  double rate(double seconds) const {
    return 2.0 * static_cast<double>(size_) * static_cast<double>(size_ * size_) * world_.size() / seconds;
  }

  std::int64_t size() const { return size_; }

 private:
  double slowest(double seconds) {
    world_.all_reduce(stream_, vector_view(&seconds, 1), Reduction::max);
    stream_.synchronize();
    return seconds;
  }

  RankContext& context_;
  Communicator& world_;
  Stream& stream_;
  std::int64_t size_;
  Buffer a_, b_, c_;
};

}  // namespace

Peak measure_peak(RankContext& context, Communicator& world, Stream& stream, DataType type) {
  auto product = std::make_unique<SquareProduct>(context, world, stream, type, kTrial);
  double seconds = product->shortest_time();
  constexpr std::int64_t kWider = kUsual / kTrial;
  constexpr auto kLonger = static_cast<double>(kWider * kWider * kWider);
  const bool fast = seconds * kLonger < kTooLong;
  const auto measure = [&](std::int64_t size) {
    product.reset();  // releases its memory before the next one takes its own
    product = std::make_unique<SquareProduct>(context, world, stream, type, size);
    seconds = product->shortest_time();
  };
  if (fast) measure(kUsual);
  while (seconds < kLongEnough && product->size() < kLargest) measure(product->size() * 2);
  const double burst = product->rate(seconds) / 1e9;
  if (context.device().kind() == DeviceKind::cpu || !fast) return {.gflops = burst, .burst_gflops = burst};
  const auto half = static_cast<std::int64_t>(std::ceil(kSustained / 2 / seconds));
  product->time(half);  // until the clock has settled
  const double settled = product->time(half) / static_cast<double>(half);
  return {.gflops = product->rate(settled) / 1e9, .burst_gflops = burst};
}

}  // namespace recombine
