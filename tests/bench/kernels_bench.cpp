#include <algorithm>
#include <cstdlib>

#include <benchmark/benchmark.h>

#include "kernels/device.hpp"
#include "kernels/math.hpp"

// One rank's arithmetic at the shapes of training: OMP_NUM_THREADS=2 ./kernels_bench

namespace recombine {
namespace {

constexpr std::int64_t kBatch = 512;
constexpr std::int64_t kHidden = 1024;

/// A device with its stream, and buffers filled with random numbers.
class Bench {
 public:
  Bench() {
    const char* const threads = std::getenv("OMP_NUM_THREADS");
    device_ =
        make_device({.threads = threads ? std::max(std::atoi(threads), 1) : 1, .progress = Progress::synchronous});
    stream_ = device_->make_stream(StreamUse::compute);
  }

  Math& math() { return device_->math(); }
  Stream& stream() { return *stream_; }

  Buffer matrix(std::int64_t rows, std::int64_t cols, DataType type = DataType::f32) {
    Buffer buffer(*device_, type, rows * cols);
    math().fill(*stream_, buffer.matrix(rows, cols), {.seed = 1, .global_cols = cols, .half_width = 1});
    return buffer;
  }
  Buffer rows(std::int64_t count, std::int64_t of) {
    Buffer buffer(*device_, DataType::i64, count);
    for (std::int64_t i = 0; i < count; ++i) buffer.view().as<std::int64_t>()[i] = i * 7919 % of;
    return buffer;
  }
  template <class T>
  Buffer zeros(std::int64_t count) {
    Buffer buffer(*device_, data_type_of<T>, count);
    std::fill_n(buffer.view().as<T>(), count, T{0});
    return buffer;
  }

 private:
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
};

void report_bytes(benchmark::State& state, std::int64_t bytes) { state.SetBytesProcessed(state.iterations() * bytes); }

/// The three products of a layer: 0 forward with bias and ReLU, 1 backward, 2 the weights' gradient.
void gemm(benchmark::State& state) {
  Bench bench;
  const std::int64_t in = state.range(1);
  const std::int64_t out = state.range(2);
  const Buffer x = bench.matrix(kBatch, in);
  const Buffer y = bench.matrix(kBatch, out);
  const Buffer w = bench.matrix(out, in);
  const Buffer bias = bench.matrix(1, out);
  const auto xm = x.matrix(kBatch, in);
  const auto ym = y.matrix(kBatch, out);
  const auto wm = w.matrix(out, in);
  const Gemm products[] = {
      {.a = xm, .b = wm, .trans_b = Transpose::yes, .c = ym, .bias = bias.view(), .activation = Activation::relu},
      {.a = ym, .b = wm, .c = xm},
      {.a = ym, .trans_a = Transpose::yes, .b = xm, .c = wm}};
  for (auto _ : state) bench.math().gemm(bench.stream(), products[state.range(0)]);
  state.counters["flop/s"] =
      benchmark::Counter(static_cast<double>(2 * kBatch * in * out), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(gemm)
    ->ArgNames({"product", "in", "out"})
    ->ArgsProduct({{0, 1, 2}, {784, kHidden}, {kHidden}})
    ->ArgsProduct({{0, 1, 2}, {kHidden}, {10}})
    ->UseRealTime();

/// A plain product of [m,k] and [k,n], or of [k,m]^T: small f32 ones, f64, and bf16 operands.
void gemm_of(benchmark::State& state, DataType type, Transpose trans_a) {
  Bench bench;
  const std::int64_t m = state.range(0);
  const std::int64_t n = state.range(1);
  const std::int64_t k = state.range(2);
  const Buffer a = bench.matrix(m, k, type);
  const Buffer b = bench.matrix(k, n, type);
  const Buffer c = bench.matrix(m, n, type == DataType::f64 ? DataType::f64 : DataType::f32);
  const Gemm product = {.a = trans_a == Transpose::yes ? a.matrix(k, m) : a.matrix(m, k),
                        .trans_a = trans_a,
                        .b = b.matrix(k, n),
                        .c = c.matrix(m, n)};
  for (auto _ : state) bench.math().gemm(bench.stream(), product);
  state.counters["flop/s"] =
      benchmark::Counter(static_cast<double>(2 * m * n * k), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK_CAPTURE(gemm_of, f32, DataType::f32, Transpose::no)
    ->Args({64, 64, 64})
    ->Args({64, 1024, 1024})
    ->Args({256, 784, 1024})
    ->Args({256, 1024, 1024})
    ->UseRealTime();
BENCHMARK_CAPTURE(gemm_of, f32_transposed_a, DataType::f32, Transpose::yes)
    ->Args({256, 1024, 1024})
    ->Args({512, 512, 4096})
    ->UseRealTime();
BENCHMARK_CAPTURE(gemm_of, f64, DataType::f64, Transpose::no)
    ->Args({256, 1024, 1024})
    ->Args({1024, 1024, 1024})
    ->UseRealTime();
BENCHMARK_CAPTURE(gemm_of, bf16, DataType::bf16, Transpose::no)
    ->Args({256, 1024, 1024})
    ->Args({1024, 1024, 1024})
    ->Args({2048, 2048, 2048})
    ->UseRealTime();

/// f32 to bf16, as for the operands of a bf16 product.
void cast_to_bf16(benchmark::State& state) {
  Bench bench;
  const Buffer from = bench.matrix(kBatch, kHidden);
  const Buffer to = bench.matrix(kBatch, kHidden, DataType::bf16);
  for (auto _ : state) bench.math().cast(bench.stream(), from.matrix(kBatch, kHidden), to.matrix(kBatch, kHidden));
  report_bytes(state, kBatch * kHidden * 6);
}
BENCHMARK(cast_to_bf16)->UseRealTime();

void adamw(benchmark::State& state) {
  Bench bench;
  const std::int64_t n = state.range(0);
  const Buffer w = bench.matrix(1, n);
  const Buffer g = bench.matrix(1, n);
  const Buffer m = bench.zeros<float>(n);
  const Buffer v = bench.zeros<float>(n);
  const OptimizerRates rates = OptimizerRates::at(1, 1e-3);
  for (auto _ : state) {
    bench.math().optimizer_step(bench.stream(), {.kind = OptimizerKind::adamw,
                                                 .weights = w.view(),
                                                 .gradient = g.view(),
                                                 .first_moment = m.view(),
                                                 .second_moment = v.view(),
                                                 .rates = &rates,
                                                 .weight_decay = 0.01F});
  }
  report_bytes(state, 7 * 4 * n);  // four read, three written
}
BENCHMARK(adamw)->Arg(1 << 16)->Arg(1 << 21)->Arg(1 << 24)->UseRealTime();

/// The fingerprint of a vector. Compare it with square_sum, which only reads.
void fingerprint(benchmark::State& state) {
  Bench bench;
  const std::int64_t n = state.range(0);
  const Buffer x = bench.matrix(1, n);
  const Buffer sum = bench.zeros<std::int64_t>(1);
  for (auto _ : state) {
    bench.math().fingerprint(bench.stream(),
                             {.block = x.matrix(1, n), .global_cols = n, .sum = sum.view().as<std::int64_t>()});
  }
  report_bytes(state, 4 * n);
}
BENCHMARK(fingerprint)->Arg(1 << 16)->Arg(1 << 21)->Arg(1 << 24)->UseRealTime();

void square_sum(benchmark::State& state) {
  Bench bench;
  const std::int64_t n = state.range(0);
  const Buffer x = bench.matrix(1, n);
  const Buffer sum = bench.zeros<double>(1);
  for (auto _ : state) bench.math().add_square_sum(bench.stream(), x.view(), sum.view().as<double>());
  report_bytes(state, 4 * n);
}
BENCHMARK(square_sum)->Arg(1 << 16)->Arg(1 << 21)->Arg(1 << 24)->UseRealTime();

void gather_u8(benchmark::State& state) {
  Bench bench;
  const std::int64_t cols = 784;
  const Buffer source = bench.zeros<std::uint8_t>(60000 * cols);
  const Buffer rows = bench.rows(kBatch, 60000);
  const Buffer out = bench.matrix(kBatch, cols);
  for (auto _ : state) {
    bench.math().gather_rows(bench.stream(), {.source = source.matrix(60000, cols),
                                              .rows = rows.view(),
                                              .out = out.matrix(kBatch, cols),
                                              .scale = 1.0F / 255});
  }
  report_bytes(state, kBatch * cols * 5);
}
BENCHMARK(gather_u8)->UseRealTime();

void softmax_cross_entropy(benchmark::State& state) {
  Bench bench;
  const std::int64_t cols = state.range(0);
  const Buffer logits = bench.matrix(kBatch, cols);
  const Buffer gradient = bench.matrix(kBatch, cols);
  const Buffer labels = bench.zeros<std::int32_t>(kBatch);
  for (std::int64_t i = 0; i < kBatch; ++i) {
    labels.view().as<std::int32_t>()[i] = static_cast<std::int32_t>(i * 31 % cols);
  }
  const Buffer rows = bench.rows(kBatch, kBatch);
  LossSums sums;
  for (auto _ : state) {
    bench.math().softmax_cross_entropy(bench.stream(), {.logits = logits.matrix(kBatch, cols),
                                                        .labels = labels.view(),
                                                        .rows = rows.view(),
                                                        .gradient = gradient.matrix(kBatch, cols),
                                                        .gradient_scale = 1.0F / kBatch,
                                                        .sums = &sums});
  }
  report_bytes(state, kBatch * cols * 8);
}
BENCHMARK(softmax_cross_entropy)->Arg(10)->Arg(1000)->UseRealTime();

void activation_gradient(benchmark::State& state) {
  Bench bench;
  const Buffer saved = bench.matrix(kBatch, kHidden);
  const Buffer gradient = bench.zeros<float>(kBatch * kHidden);  // zeros, so that no value becomes subnormal
  const Buffer bias_gradient = bench.zeros<float>(kHidden);
  for (auto _ : state) {
    bench.math().activation_gradient(bench.stream(), {.saved = saved.matrix(kBatch, kHidden),
                                                      .gradient = gradient.matrix(kBatch, kHidden),
                                                      .bias_gradient = bias_gradient.view(),
                                                      .activation = static_cast<Activation>(state.range(0))});
  }
  report_bytes(state, kBatch * kHidden * 12);
}
BENCHMARK(activation_gradient)->ArgName("activation")->DenseRange(0, 4)->UseRealTime();

void bias_activation(benchmark::State& state) {
  Bench bench;
  const Buffer in = bench.matrix(kBatch, kHidden);
  const Buffer out = bench.matrix(kBatch, kHidden);
  const Buffer bias = bench.matrix(1, kHidden);
  for (auto _ : state) {
    bench.math().bias_activation(bench.stream(), {.in = in.matrix(kBatch, kHidden),
                                                  .bias = bias.view(),
                                                  .out = out.matrix(kBatch, kHidden),
                                                  .activation = static_cast<Activation>(state.range(0))});
  }
  report_bytes(state, kBatch * kHidden * 8);
}
BENCHMARK(bias_activation)->ArgName("activation")->DenseRange(0, 4)->UseRealTime();

}  // namespace
}  // namespace recombine

BENCHMARK_MAIN();
