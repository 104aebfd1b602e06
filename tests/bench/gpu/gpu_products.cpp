#include <fmt/core.h>

#include "tests/bench/gpu/gpu_bench.hpp"

namespace recombine::bench {

namespace {

struct Kind {
  const char* name;
  DataType type;
  F32Products f32_products = F32Products::f32;
};

constexpr Kind kF32{"f32", DataType::f32};
constexpr Kind kTf32{"tf32", DataType::f32, F32Products::tf32};
constexpr Kind kBf16{"bf16", DataType::bf16};
constexpr Kind kF64{"f64", DataType::f64};

struct Taught {
  ProductKernel kernel;
  const char* name;
};

constexpr Taught kNaive{ProductKernel::naive, "naive"};
constexpr Taught kTiled{ProductKernel::tiled, "tiled"};
constexpr Taught kTensor{ProductKernel::tensor, "tensor"};
constexpr Taught kHopper{ProductKernel::hopper, "hopper"};

struct Sizes {
  std::int64_t ceiling = 8192;  ///< size of the library's product that is the ceiling
  std::vector<std::int64_t> library = {1024, 2048, 4096};
  std::int64_t taught = 4096;
};

struct Product {
  Kind kind;
  Taught kernel;
  std::int64_t size;
};

struct Measured {
  double seconds;
  double rate;  ///< TFLOP/s
  std::string note;
};

/// Measures a square product. The library computes C = A B^T, like a layer's forward product. The kernels to learn from
/// compute C = A B, like `matmul`.
Measured rate_of(Effort effort, const Product& product) {
  std::string note;
  GpuBench bench(effort, {.kind = DeviceKind::cuda,
                          .kernel = product.kernel.kernel,
                          .f32_products = product.kind.f32_products,
                          .note = [&](const std::string& text) { note = text; }});
  const std::int64_t n = product.size;
  const DataType type = product.kind.type;
  const Buffer a = bench.random(n * n, type);
  const Buffer b = bench.random(n * n, type);
  const Buffer c(bench.device(), type == DataType::f64 ? DataType::f64 : DataType::f32, n * n);
  const Transpose trans_b = product.kernel.kernel == ProductKernel::library ? Transpose::yes : Transpose::no;
  const double seconds = bench.seconds_of([&] {
    bench.math().gemm(bench.stream(),
                      {.a = a.matrix(n, n), .b = b.matrix(n, n), .trans_b = trans_b, .c = c.matrix(n, n)});
  });
  const auto extent = static_cast<double>(n);
  return {seconds, 2 * extent * extent * extent / seconds * 1e-12, note};
}

}  // namespace

void run_products(Effort effort) {
  const Sizes sizes = effort == Effort::full ? Sizes{} : Sizes{.ceiling = 48, .library = {32}, .taught = 32};
  const auto add = [&](const Product& product, double ceiling) {
    const auto [seconds, rate, note] = rate_of(effort, product);
    print({.part = "products",
           .name = fmt::format("{} {}", product.kernel.name, product.kind.name),
           .size = fmt::format("{}^3", product.size),
           .seconds = seconds,
           .value = rate,
           .unit = "TFLOP/s",
           .ceiling = ceiling > 0 ? ceiling : rate,
           .note = note});
    return rate;
  };
  for (const Kind& kind : {kF32, kTf32, kBf16, kF64}) {
    const Taught library{ProductKernel::library, "library"};
    const double ceiling = add({kind, library, sizes.ceiling}, 0);
    for (const std::int64_t size : sizes.library) add({kind, library, size}, ceiling);
    if (kind.f32_products == F32Products::tf32) continue;  // the kernels to learn from have no tf32
    for (const Taught& taught : {kNaive, kTiled}) add({kind, taught, sizes.taught}, ceiling);
    if (kind.type != DataType::bf16) continue;
    add({kind, kTensor, sizes.taught}, ceiling);
    for (const std::int64_t size : {sizes.taught, sizes.ceiling}) add({kind, kHopper, size}, ceiling);
  }
}

}  // namespace recombine::bench
