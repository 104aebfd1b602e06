#include <fmt/core.h>

#include "tests/bench/gpu/gpu_bench.hpp"

namespace recombine::bench {

namespace {

/// Sizes of the matrices. rows x cols of f32 are 256 MiB, much more than a GPU's caches hold.
struct Size {
  std::int64_t rows = 65536;
  std::int64_t cols = 1024;
  std::int64_t classes = 10;  ///< columns of the narrow softmax, which has rows * cols / 16 rows

  std::int64_t elements() const { return rows * cols; }
};

class KernelRates {
 public:
  explicit KernelRates(Effort effort) : bench_(effort, {.kind = DeviceKind::cuda}) {
    if (effort == Effort::quick) size_ = {.rows = 64, .cols = 32};
  }

  void measure_copy();
  void fill_and_cast();
  void gather();
  void activations();
  void cross_entropy(std::int64_t rows, std::int64_t cols);
  void squared_error();
  void sums();
  void optimizers();
  void losses() {
    cross_entropy(size_.rows, size_.cols);
    cross_entropy(size_.elements() / 16, size_.classes);
    squared_error();
  }

 private:
  /// `bytes`: read and written by one call.
  void add(const std::string& name, std::int64_t rows, std::int64_t cols, std::int64_t bytes,
           const std::function<void()>& call) {
    const double seconds = bench_.seconds_of(call);
    const double rate = static_cast<double>(bytes) / seconds * 1e-9;
    if (copy_ == 0) copy_ = rate;  // the copy is measured first
    print({.part = "kernels",
           .name = name,
           .size = fmt::format("{} x {}", rows, cols),
           .seconds = seconds,
           .value = rate,
           .unit = "GB/s",
           .ceiling = copy_});
  }
  void add(const std::string& name, std::int64_t bytes_of_element, const std::function<void()>& call) {
    add(name, size_.rows, size_.cols, bytes_of_element * size_.elements(), call);
  }

  MatrixView matrix(const Buffer& buffer) const { return buffer.matrix(size_.rows, size_.cols); }
  /// Row numbers in an order that no cache can predict: with an odd step.
  Buffer scattered_rows(std::int64_t rows) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
    for (std::int64_t i = 0; i < rows; ++i) order[static_cast<std::size_t>(i)] = i * 7919 % rows;
    return bench_.from_host(order);
  }

  GpuBench bench_;
  Size size_;
  double copy_ = 0;  ///< GB/s
};

void KernelRates::measure_copy() {
  const Buffer from = bench_.random(size_.elements());
  const Buffer to = bench_.random(size_.elements());
  add("copy on the GPU", 8, [&] { bench_.device().copy(bench_.stream(), to.view(), from.view()); });
}

void KernelRates::fill_and_cast() {
  const Buffer wide = bench_.random(size_.elements());
  const Buffer narrow = bench_.random(size_.elements(), DataType::bf16);
  add("fill f32", 4, [&] {
    bench_.math().fill(bench_.stream(), matrix(wide), {.seed = 1, .global_cols = size_.cols, .half_width = 1});
  });
  add("cast f32 -> bf16", 6, [&] { bench_.math().cast(bench_.stream(), matrix(wide), matrix(narrow)); });
  add("cast bf16 -> f32", 6, [&] { bench_.math().cast(bench_.stream(), matrix(narrow), matrix(wide)); });
}

void KernelRates::gather() {
  const Buffer bytes = bench_.from_host(std::vector<std::uint8_t>(static_cast<std::size_t>(size_.elements()), 7));
  const Buffer floats = bench_.random(size_.elements());
  const Buffer wide = bench_.random(size_.elements());
  const Buffer narrow = bench_.random(size_.elements(), DataType::bf16);
  const Buffer rows = scattered_rows(size_.rows);
  for (const Buffer* source : {&bytes, &floats}) {
    for (const Buffer* out : {&wide, &narrow}) {
      const DataType from = source->view().type;
      const DataType to = out->view().type;
      const std::int64_t moved = (size_of(from) + size_of(to)) * size_.elements() + 8 * size_.rows;
      add(fmt::format("gather_rows {} -> {}", name_of(from), name_of(to)), size_.rows, size_.cols, moved, [&] {
        bench_.math().gather_rows(
            bench_.stream(),
            {.source = matrix(*source), .rows = rows.view(), .out = matrix(*out), .scale = 1.0F / 255});
      });
    }
  }
}

void KernelRates::activations() {
  const Buffer in = bench_.random(size_.elements());
  const Buffer out = bench_.random(size_.elements());
  const Buffer bias = bench_.random(size_.cols);
  struct Case {
    Activation activation;
    const char* name;
  };
  for (const Case c : {Case{Activation::relu, "relu"}, Case{Activation::gelu, "gelu"}}) {
    add(fmt::format("bias_activation {}", c.name), 8, [&] {
      bench_.math().bias_activation(
          bench_.stream(), {.in = matrix(in), .bias = bias.view(), .out = matrix(out), .activation = c.activation});
    });
    add(fmt::format("activation_gradient {}", c.name), 12, [&] {
      bench_.math().activation_gradient(
          bench_.stream(),
          {.saved = matrix(in), .gradient = matrix(out), .bias_gradient = bias.view(), .activation = c.activation});
    });
  }
}

void KernelRates::cross_entropy(std::int64_t rows, std::int64_t cols) {
  const Buffer logits = bench_.random(rows * cols);
  const Buffer gradient = bench_.random(rows * cols);
  std::vector<std::int32_t> values(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(i * 31 % cols);
  const Buffer labels = bench_.from_host(values);
  const Buffer order = scattered_rows(rows);
  const Buffer sums = bench_.zeros(2, DataType::f64);
  add("softmax_cross_entropy", rows, cols, 8 * rows * cols + 12 * rows, [&] {
    bench_.math().softmax_cross_entropy(bench_.stream(), {.logits = logits.matrix(rows, cols),
                                                          .labels = labels.view(),
                                                          .rows = order.view(),
                                                          .gradient = gradient.matrix(rows, cols),
                                                          .sums = reinterpret_cast<LossSums*>(sums.view().data)});
  });
}

void KernelRates::squared_error() {
  const Buffer outputs = bench_.random(size_.elements());
  const Buffer targets = bench_.random(size_.elements());
  const Buffer gradient = bench_.random(size_.elements());
  const Buffer order = scattered_rows(size_.rows);
  const Buffer sums = bench_.zeros(2, DataType::f64);
  add("squared_error", size_.rows, size_.cols, 12 * size_.elements() + 8 * size_.rows, [&] {
    bench_.math().squared_error(bench_.stream(), {.outputs = matrix(outputs),
                                                  .targets = matrix(targets),
                                                  .rows = order.view(),
                                                  .gradient = matrix(gradient),
                                                  .sums = reinterpret_cast<LossSums*>(sums.view().data)});
  });
}

void KernelRates::sums() {
  const Buffer x = bench_.random(size_.elements());
  const Buffer y = bench_.random(size_.elements());
  const Buffer total = bench_.zeros(1, DataType::f64);
  add("add_square_sum", 4, [&] { bench_.math().add_square_sum(bench_.stream(), x.view(), total.view().as<double>()); });
  const Buffer columns = bench_.random(size_.cols);
  add("column sums", 4, [&] {
    bench_.math().activation_gradient(bench_.stream(), {.saved = matrix(x),
                                                        .gradient = matrix(y),
                                                        .bias_gradient = columns.view(),
                                                        .activation = Activation::identity});
  });
  add("axpby", 12, [&] { bench_.math().axpby(bench_.stream(), 0.5, x.view(), 0.5, y.view()); });
}

void KernelRates::optimizers() {
  const Buffer weights = bench_.random(size_.elements());
  const Buffer gradient = bench_.random(size_.elements());
  const Buffer first = bench_.zeros(size_.elements());
  const Buffer second = bench_.zeros(size_.elements());
  const Buffer rounded = bench_.random(size_.elements(), DataType::bf16);
  const Buffer rates = bench_.zeros(sizeof(OptimizerRates) / sizeof(float));  // the time does not depend on the values
  struct Case {
    OptimizerKind kind;
    const char* name;
    std::int64_t bytes;  ///< per element: gradient read, weights and moments read and written
  };
  for (const Case c : {Case{OptimizerKind::sgd, "sgd", 12}, Case{OptimizerKind::momentum, "momentum", 20},
                       Case{OptimizerKind::adamw, "adamw", 28}}) {
    OptimizerStep step{.kind = c.kind,
                       .weights = weights.view(),
                       .gradient = gradient.view(),
                       .rates = reinterpret_cast<const OptimizerRates*>(rates.view().data),
                       .weight_decay = 0.01F};
    if (c.kind != OptimizerKind::sgd) step.first_moment = first.view();
    if (c.kind == OptimizerKind::adamw) step.second_moment = second.view();
    const auto call = [&] { bench_.math().optimizer_step(bench_.stream(), step); };
    add(fmt::format("optimizer_step {}", c.name), c.bytes, call);
    step.rounded_weights = rounded.view();
    add(fmt::format("optimizer_step {}, bf16 copy", c.name), c.bytes + 2, call);
  }
}

}  // namespace

void run_kernels(Effort effort) {
  KernelRates rates(effort);
  rates.measure_copy();
  rates.fill_and_cast();
  rates.gather();
  rates.activations();
  rates.losses();
  rates.sums();
  rates.optimizers();
}

}  // namespace recombine::bench
