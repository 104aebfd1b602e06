#include "kernels/cpu/gemm_onednn.hpp"

#include <array>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <type_traits>
#include <unordered_map>

#include "kernels/cpu/parallel_for.hpp"
#include "kernels/error.hpp"

namespace recombine::cpu {

namespace {

/// All that a primitive is made for; pointers are not part of it.
struct Key {
  std::array<std::int64_t, 8> sizes;  ///< m n k lda ldb ldc, transposes, bias and activation
  double beta;
  int threads;  ///< oneDNN lays its work out for so many
  auto operator<=>(const Key&) const = default;
};

Key key_of(const Gemm& gemm) {
  const bool ta = gemm.trans_a == Transpose::yes;
  const bool tb = gemm.trans_b == Transpose::yes;
  const std::int64_t k = ta ? gemm.a.rows : gemm.a.cols;
  return {{gemm.c.rows, gemm.c.cols, k, gemm.a.ld, gemm.b.ld, gemm.c.ld, (ta ? 1 : 0) + (tb ? 2 : 0),
           static_cast<std::int64_t>(gemm.activation) * 2 + (gemm.bias.size > 0 ? 1 : 0)},
          gemm.beta,
          threads()};
}

void check(const Gemm& gemm, const Key& key) {
  const auto [m, n, k, lda, ldb, ldc, transposes, epilogue] = key.sizes;
  const bool ta = gemm.trans_a == Transpose::yes;
  const bool tb = gemm.trans_b == Transpose::yes;
  require(gemm.a.type == DataType::f32 && gemm.b.type == DataType::f32 && gemm.c.type == DataType::f32,
          "products of {} are not there yet", name_of(gemm.a.type));
  require((ta ? gemm.a.cols : gemm.a.rows) == m && (tb ? gemm.b.cols : gemm.b.rows) == k &&
              (tb ? gemm.b.rows : gemm.b.cols) == n && (gemm.bias.size == 0 || gemm.bias.size == n),
          "operands [{},{}] and [{},{}] do not give [{},{}]", gemm.a.rows, gemm.a.cols, gemm.b.rows, gemm.b.cols, m,
          n);
}

using Memory = dnnl::memory;

Memory::desc matrix_desc(std::int64_t rows, std::int64_t cols, std::int64_t ld, Transpose transpose) {
  const auto strides = transpose == Transpose::yes ? Memory::dims{1, ld} : Memory::dims{ld, 1};
  return {{rows, cols}, Memory::data_type::f32, strides};
}

// oneDNN 2.x takes a scale before the algorithm; 3.x does not.
template <class PostOps>
void append_eltwise(PostOps& ops, dnnl::algorithm algorithm, float alpha) {
  if constexpr (requires { ops.append_eltwise(1.0F, algorithm, alpha, 0.0F); }) {
    ops.append_eltwise(1.0F, algorithm, alpha, 0.0F);
  } else {
    ops.append_eltwise(algorithm, alpha, 0.0F);
  }
}

// oneDNN 2.x goes through an operation descriptor; 3.x does not have it.
template <class Matmul, class... Descs>
auto make_primitive_desc(const dnnl::engine& engine, const dnnl::primitive_attr& attributes, const Descs&... descs) {
  using PrimitiveDesc = typename Matmul::primitive_desc;
  if constexpr (std::is_constructible_v<PrimitiveDesc, dnnl::engine, Descs..., dnnl::primitive_attr>) {
    return PrimitiveDesc(engine, descs..., attributes);
  } else {
    return PrimitiveDesc(typename Matmul::desc(descs...), attributes, engine);
  }
}

void append_activation(dnnl::post_ops& ops, Activation activation) {
  switch (activation) {
    case Activation::identity: return;
    case Activation::relu: return append_eltwise(ops, dnnl::algorithm::eltwise_relu, 0);
    case Activation::gelu: return append_eltwise(ops, dnnl::algorithm::eltwise_gelu_tanh, 0);
    case Activation::tanh: return append_eltwise(ops, dnnl::algorithm::eltwise_tanh, 0);
    case Activation::sigmoid: return append_eltwise(ops, dnnl::algorithm::eltwise_logistic, 0);
  }
}

/// A primitive with the memory objects that its calls are given.
struct Prepared {
  dnnl::matmul primitive;
  Memory a, b, c, bias;
  std::unordered_map<int, Memory> arguments;
};

Prepared prepare(const dnnl::engine& engine, const Gemm& gemm, const Key& key) {
  const auto [m, n, k, lda, ldb, ldc, transposes, epilogue] = key.sizes;
  const auto a = matrix_desc(m, k, lda, gemm.trans_a);
  const auto b = matrix_desc(k, n, ldb, gemm.trans_b);
  const auto c = matrix_desc(m, n, ldc, Transpose::no);
  const Memory::desc bias({1, n}, Memory::data_type::f32, Memory::dims{n, 1});
  const bool has_bias = gemm.bias.size > 0;
  dnnl::primitive_attr attributes;
  dnnl::post_ops ops;
  if (gemm.beta != 0) ops.append_sum(static_cast<float>(gemm.beta));
  append_activation(ops, gemm.activation);
  attributes.set_post_ops(ops);
  const auto desc = has_bias ? make_primitive_desc<dnnl::matmul>(engine, attributes, a, b, bias, c)
                             : make_primitive_desc<dnnl::matmul>(engine, attributes, a, b, c);
  Prepared prepared{dnnl::matmul(desc),
                    Memory(a, engine, nullptr),
                    Memory(b, engine, nullptr),
                    Memory(c, engine, nullptr),
                    Memory(bias, engine, nullptr),
                    {}};
  prepared.arguments = {{DNNL_ARG_SRC, prepared.a}, {DNNL_ARG_WEIGHTS, prepared.b}, {DNNL_ARG_DST, prepared.c}};
  if (has_bias) prepared.arguments.insert({DNNL_ARG_BIAS, prepared.bias});
  return prepared;
}

}  // namespace

class GemmOneDnn::Cache {
 public:
  void execute(const Gemm& gemm) {
    const Key key = key_of(gemm);
    check(gemm, key);
    auto found = prepared_.find(key);
    if (found == prepared_.end()) {
      if (prepared_.size() >= kMostShapes) prepared_.clear();
      found = prepared_.emplace(key, prepare(engine_, gemm, key)).first;
    }
    Prepared& call = found->second;
    const auto pointer = [](const std::byte* data) { return const_cast<std::byte*>(data); };
    call.a.set_data_handle(pointer(gemm.a.data));
    call.b.set_data_handle(pointer(gemm.b.data));
    call.c.set_data_handle(gemm.c.data);
    if (gemm.bias.size > 0) call.bias.set_data_handle(pointer(gemm.bias.data));
    call.primitive.execute(stream_, call.arguments);
    stream_.wait();
  }

 private:
  static constexpr std::size_t kMostShapes = 256;

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::map<Key, Prepared> prepared_;
};

GemmOneDnn::GemmOneDnn() : cache_(std::make_unique<Cache>()) {}
GemmOneDnn::~GemmOneDnn() = default;

void GemmOneDnn::execute(const Gemm& gemm) {
  try {
    cache_->execute(gemm);
  } catch (const dnnl::error& error) {
    throw Error(fmt::format("oneDNN matmul [{},{}] = op([{},{}]) op([{},{}]): {}", gemm.c.rows, gemm.c.cols,
                            gemm.a.rows, gemm.a.cols, gemm.b.rows, gemm.b.cols, error.what()));
  }
}

}  // namespace recombine::cpu
