/// Compares a training step with its bound: the same products called directly in oneDNN, one after the other, plus the
/// time to move the optimizer's bytes at the measured memory bandwidth. Both run in turn. Prints one line of JSON.
///
///     mpirun --bind-to none -np 2 ./train_bench --hidden 1024,1024 --batch-size 512 --steps 60

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <oneapi/dnnl/dnnl.hpp>

#include "distributed/session.hpp"
#include "src/data/load_data.hpp"
#include "src/nn/trainer.hpp"
#include "src/program/parse.hpp"
#include "tests/bench/bench_cores.hpp"
#include "tests/bench/bench_product.hpp"

namespace recombine {
namespace {

struct BenchOptions {
  std::vector<std::int64_t> hidden = {1024, 1024};
  std::int64_t batch_size = 512;
  std::int64_t steps = 60;
};

BenchOptions parse(int argc, char** argv) {
  BenchOptions options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--hidden") options.hidden = parse_widths("hidden", argv[i + 1]);
    if (name == "--batch-size") options.batch_size = parse_whole("batch-size", argv[i + 1], {1});
    if (name == "--steps") options.steps = parse_whole("steps", argv[i + 1], {5});
  }
  return options;
}

using bench::median;

/// One product as in the library's examples: C[m,n] = op(A)[m,k] op(B)[k,n], f32, no epilogue.
class DirectProduct {
 public:
  struct Shape {
    std::int64_t m, n, k;
    Transpose trans_a, trans_b;
  };

  DirectProduct(RankContext& context, const dnnl::engine& engine, const Shape& s)
      : a_(context.device(), DataType::f32, s.m * s.k),
        b_(context.device(), DataType::f32, s.k * s.n),
        c_(context.device(), DataType::f32, s.m * s.n) {
    context.math().fill(context.compute(), a_.matrix(1, s.m * s.k), {.half_width = 1});
    context.math().fill(context.compute(), b_.matrix(1, s.k * s.n), {.half_width = 1});
    using Memory = dnnl::memory;
    const auto desc = [](std::int64_t rows, std::int64_t cols, Transpose transpose) {
      const auto strides = transpose == Transpose::yes ? Memory::dims{1, rows} : Memory::dims{cols, 1};
      return Memory::desc({rows, cols}, Memory::data_type::f32, strides);
    };
    const auto a = desc(s.m, s.k, s.trans_a);
    const auto b = desc(s.k, s.n, s.trans_b);
    const auto c = desc(s.m, s.n, Transpose::no);
    primitive_ = make_primitive<dnnl::matmul>(engine, a, b, c);
    arguments_ = {{DNNL_ARG_SRC, Memory(a, engine, a_.view().data)},
                  {DNNL_ARG_WEIGHTS, Memory(b, engine, b_.view().data)},
                  {DNNL_ARG_DST, Memory(c, engine, c_.view().data)}};
  }
  void run(const dnnl::stream& stream) const { primitive_.execute(stream, arguments_); }

 private:
  template <class Matmul, class... Descs>  // oneDNN 2.x and 3.x differ here
  static Matmul make_primitive(const dnnl::engine& engine, const Descs&... descs) {
    using PrimitiveDesc = typename Matmul::primitive_desc;
    if constexpr (std::is_constructible_v<PrimitiveDesc, dnnl::engine, Descs...>) {
      return Matmul(PrimitiveDesc(engine, descs...));
    } else {
      return Matmul(PrimitiveDesc(typename Matmul::desc(descs...), engine));
    }
  }

  Buffer a_, b_, c_;  // the same kind of memory as in the trainer
  dnnl::matmul primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

/// A step's products on this rank's rows: forward, then dW and dX of each layer from the last (no dX for the first).
std::vector<DirectProduct> products_of(RankContext& context, const ModelShape& shape, std::int64_t rows,
                                       const dnnl::engine& engine) {
  std::vector<std::int64_t> widths = {shape.inputs};
  widths.insert(widths.end(), shape.hidden.begin(), shape.hidden.end());
  widths.push_back(shape.outputs);
  std::vector<DirectProduct> products;
  for (std::size_t l = 1; l < widths.size(); ++l) {
    products.emplace_back(context, engine,
                          DirectProduct::Shape{rows, widths[l], widths[l - 1], Transpose::no, Transpose::yes});
  }
  for (std::size_t l = widths.size() - 1; l > 0; --l) {
    products.emplace_back(context, engine,
                          DirectProduct::Shape{widths[l], widths[l - 1], rows, Transpose::yes, Transpose::no});
    if (l > 1) {
      products.emplace_back(context, engine,
                            DirectProduct::Shape{rows, widths[l - 1], widths[l], Transpose::no, Transpose::no});
    }
  }
  return products;
}

/// Seconds to move as many bytes as AdamW: 28 per parameter. Measured with y = x + y, which moves 12 per element.
class MemoryBound {
 public:
  MemoryBound(RankContext& context, std::int64_t parameters)
      : context_(context),
        x_(context.device(), DataType::f32, parameters),
        y_(context.device(), DataType::f32, parameters) {
    context.math().axpby(context.compute(), 0, {}, 0, x_.view());
    context.math().axpby(context.compute(), 0, {}, 0, y_.view());
  }
  double seconds() {
    const double start = Session::now();
    context_.math().axpby(context_.compute(), 1, x_.view(), 1, y_.view());
    return (Session::now() - start) * 28 / 12;
  }

 private:
  RankContext& context_;
  Buffer x_, y_;
};

int run(Session& session, const BenchOptions& options) {
  const char* const text = std::getenv("OMP_NUM_THREADS");
  const int threads = text ? std::atoi(text) : session.host_share().threads();
  const auto device =
      make_device({.threads = threads, .cores = cores_if_enough(session, threads), .progress = session.progress()});
  const auto world = make_world(session);
  const auto stream = device->make_stream(StreamUse::communication);
  const SharedData data(session, *world, *stream, [] { return load_data({}).data; });
  RankContext context(Mesh(session.size(), 1, 1), *world, *device);
  const ModelShape shape{.inputs = data.inputs(), .hidden = options.hidden, .outputs = data.outputs()};
  Trainer trainer(context, data,
                  {.model = shape,
                   .batch_size = options.batch_size,
                   .epochs = 1000000,
                   .seed = 1,
                   .schedule = {.kind = ScheduleKind::constant, .lr = 1e-4}});
  const std::int64_t rows = split_range(options.batch_size, session.size(), session.rank()).size();
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  const dnnl::stream direct(engine);
  const auto products = products_of(context, shape, rows, engine);
  MemoryBound memory(context, shape.parameters());

  const Permutation order(data.train().rows(), 1, 1);
  std::vector<double> step_seconds, product_seconds, memory_seconds, exposed_shares;
  const auto together = [&] {
    double zero = 0;
    world->all_reduce(*stream, vector_view(&zero, 1), Reduction::max);
    stream->synchronize();
  };
  static constexpr int kSteps = 5;
  for (std::int64_t step = -2 * kSteps; step < options.steps; step += kSteps) {
    together();
    const TimeSpent before = trainer.time();
    double start = Session::now();
    for (int s = 0; s < kSteps; ++s) trainer.step(order, {0, options.batch_size});
    const double seconds = (Session::now() - start) / kSteps;
    const double exposed = (trainer.time().exposed_communication - before.exposed_communication) / kSteps;
    trainer.discard_losses();
    together();
    start = Session::now();
    for (int s = 0; s < kSteps; ++s) {
      for (const DirectProduct& product : products) product.run(direct);
    }
    const double direct_seconds = (Session::now() - start) / kSteps;
    together();
    const double bytes_seconds = memory.seconds();
    if (step < 0) continue;
    step_seconds.push_back(seconds);
    exposed_shares.push_back(exposed / seconds);
    product_seconds.push_back(direct_seconds);
    memory_seconds.push_back(bytes_seconds);
  }
  std::array<double, 4> worst = {median(step_seconds), median(product_seconds), median(memory_seconds),
                                 median(exposed_shares)};
  world->all_reduce(*stream, vector_view(worst.data(), 4), Reduction::max);
  stream->synchronize();
  if (session.rank() != 0) return 0;
  const auto batch = static_cast<double>(options.batch_size);
  const double bound = worst[1] + worst[2];
  const TimeSpent& time = trainer.time();
  const double total = time.total();
  fmt::print("{}\n", nlohmann::ordered_json({{"np", session.size()},
                                             {"threads", threads},
                                             {"hidden", options.hidden},
                                             {"batch_size", options.batch_size},
                                             {"samples_per_second", batch / worst[0]},
                                             {"bound_samples_per_second", batch / bound},
                                             {"share_of_bound", bound / worst[0]},
                                             {"exposed_communication", worst[3]},
                                             {"step_ms", 1e3 * worst[0]},
                                             {"products_ms", 1e3 * worst[1]},
                                             {"optimizer_bytes_ms", 1e3 * worst[2]},
                                             {"input_share", time.input / total},
                                             {"device", device->description()}})
                         .dump());
  return 0;
}

}  // namespace
}  // namespace recombine

int main(int argc, char** argv) {
  recombine::Session session(argc, argv);
  try {
    return recombine::run(session, recombine::parse(argc, argv));
  } catch (const std::exception& error) {
    fmt::print(stderr, "train_bench: {}\n", error.what());
    recombine::Session::abort(recombine::kExitFailure);
  }
}
