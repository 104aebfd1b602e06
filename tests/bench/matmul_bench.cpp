/// Measures a product by the plan that is chosen or given. At np 1 it also measures the library called directly (oneDNN
/// for f32, OpenBLAS for f64), in turn, on row-major operands that are not transposed. Prints one line of JSON.
///
///     OMP_NUM_THREADS=2 mpirun --bind-to none -np 1 ./matmul_bench --shape 4096x4096x4096 --dtype f32 --rounds 5
///     OMP_NUM_THREADS=1 mpirun --bind-to none -np 2 ./matmul_bench --mesh 1x1x2

#include <algorithm>
#include <string_view>

#include <cblas.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <oneapi/dnnl/dnnl.hpp>

#include "distributed/matmul/calibrate.hpp"
#include "src/program/parse.hpp"
#include "src/program/rank_device.hpp"
#include "tests/bench/bench_product.hpp"

namespace recombine {
namespace {

struct BenchOptions {
  MatmulShape shape{4096, 4096, 4096, DataType::f32};
  PlanLimits limits;
  std::int64_t rounds = 5;
};

BenchOptions parse(int argc, char** argv) {
  BenchOptions options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--shape") {
      const Mesh sizes = Mesh::parse(value);  // three counts with x between
      options.shape.m = sizes.extent(Axis::i), options.shape.n = sizes.extent(Axis::j),
      options.shape.k = sizes.extent(Axis::k);
    }
    if (name == "--dtype")
      options.shape.type = parse_word<DataType>(
          "dtype", value, {{"f32", DataType::f32}, {"f64", DataType::f64}, {"bf16", DataType::bf16}});
    if (name == "--mesh" && value != "auto") options.limits.mesh = Mesh::parse(value);
    if (name == "--recombine")
      options.limits.c_state = parse_word<State>(
          "recombine", value, {{"all-reduce", State::replicated}, {"reduce-scatter", State::sharded}});
    if (name == "--rounds") options.rounds = parse_whole("rounds", value, {1});
  }
  return options;
}

/// The library's own product of A[m,k] and B[k,n], row-major.
class DirectProduct {
 public:
  DirectProduct(Device& device, const MatmulShape& shape)
      : shape_(shape),
        a_(device, shape.type, shape.m * shape.k),
        b_(device, shape.type, shape.k * shape.n),
        c_(device, shape.result_type(), shape.m * shape.n) {
    const auto stream = device.make_stream(StreamUse::compute);
    device.math().fill(*stream, a_.matrix(shape.m, shape.k), {.global_cols = shape.k, .half_width = 1});
    device.math().fill(*stream, b_.matrix(shape.k, shape.n), {.global_cols = shape.n, .half_width = 1});
    if (shape.type != DataType::f32) return;
    using Memory = dnnl::memory;
    const auto desc = [](std::int64_t rows, std::int64_t cols) {
      return Memory::desc({rows, cols}, Memory::data_type::f32, Memory::dims{cols, 1});
    };
    const auto a = desc(shape.m, shape.k);
    const auto b = desc(shape.k, shape.n);
    const auto c = desc(shape.m, shape.n);
    primitive_ = make_primitive<dnnl::matmul>(a, b, c);
    arguments_ = {{DNNL_ARG_SRC, Memory(a, engine_, a_.view().data)},
                  {DNNL_ARG_WEIGHTS, Memory(b, engine_, b_.view().data)},
                  {DNNL_ARG_DST, Memory(c, engine_, c_.view().data)}};
  }

  void run() const {
    if (shape_.type == DataType::f32) return primitive_.execute(stream_, arguments_);
    const auto [m, n, k] =
        std::array{static_cast<int>(shape_.m), static_cast<int>(shape_.n), static_cast<int>(shape_.k)};
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a_.view().as<double>(), k,
                b_.view().as<double>(), n, 0, c_.view().as<double>(), n);
  }

 private:
  template <class Matmul, class... Descs>  // oneDNN 2.x and 3.x differ here
  Matmul make_primitive(const Descs&... descs) const {
    using PrimitiveDesc = typename Matmul::primitive_desc;
    if constexpr (std::is_constructible_v<PrimitiveDesc, dnnl::engine, Descs...>) {
      return Matmul(PrimitiveDesc(engine_, descs...));
    } else {
      return Matmul(PrimitiveDesc(typename Matmul::desc(descs...), engine_));
    }
  }

  MatmulShape shape_;
  Buffer a_, b_, c_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::matmul primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

int run(Session& session, const BenchOptions& options) {
  const int threads = threads_for(session, {});
  const auto device = make_rank_device(session, {.kind = DeviceCommand::Kind::cpu}).device;
  const auto world = make_world(session);
  const auto stream = device->make_stream(StreamUse::communication);
  const Machine machine = measure_machine(*world, *device, options.shape.type);
  const Plan plan = plan_matmul(machine, options.shape, options.limits).front();
  RankContext context(plan.mesh, *world, *device);
  bench::BenchProduct ours(context, options.shape);
  const bool compares = session.size() == 1 && options.shape.type != DataType::bf16;
  std::optional<DirectProduct> direct;
  if (compares) direct.emplace(*device, options.shape);

  std::vector<double> our_seconds, direct_seconds;
  for (std::int64_t round = -1; round < options.rounds; ++round) {
    const double mine = bench::seconds_of(*world, *stream, [&] { ours.run(plan); });
    const double library = compares ? bench::seconds_of(*world, *stream, [&] { direct->run(); }) : 0;
    if (round < 0) continue;
    our_seconds.push_back(mine);
    direct_seconds.push_back(library);
  }
  if (session.rank() != 0) return 0;
  const auto gflops = [&](double seconds) { return options.shape.flops() / seconds / 1e9; };
  nlohmann::ordered_json object{{"np", session.size()},
                                {"threads", threads},
                                {"dtype", name_of(options.shape.type)},
                                {"m", options.shape.m},
                                {"n", options.shape.n},
                                {"k", options.shape.k},
                                {"plan", plan.to_string()},
                                {"predicted_seconds", plan.seconds()},
                                {"seconds", bench::median(our_seconds)},
                                {"gflops", gflops(bench::median(our_seconds))},
                                {"gflops_best", gflops(std::ranges::min(our_seconds))}};
  if (compares) object["direct_gflops"] = gflops(bench::median(direct_seconds));
  fmt::print("{}\n", object.dump());
  return 0;
}

}  // namespace
}  // namespace recombine

int main(int argc, char** argv) {
  recombine::Session session(argc, argv);
  try {
    return recombine::run(session, recombine::parse(argc, argv));
  } catch (const std::exception& error) {
    fmt::print(stderr, "matmul_bench: {}\n", error.what());
    recombine::Session::abort(recombine::kExitFailure);
  }
}
