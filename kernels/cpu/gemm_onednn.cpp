#include "kernels/cpu/gemm_onednn.hpp"

#include <array>
#include <map>
#include <string_view>
#include <type_traits>
#include <unordered_map>

#include <oneapi/dnnl/dnnl.hpp>
#include <oneapi/dnnl/dnnl_debug.h>

#include "kernels/cpu/parallel_for.hpp"
#include "kernels/error.hpp"

namespace recombine::cpu {

namespace {

/// Everything that a primitive depends on. Pointers are not part of it.
struct Key {
  std::array<std::int64_t, 8> sizes;  ///< m n k lda ldb ldc, transposes, bias and activation
  DataType type, result;              ///< of A and B; of C
  double alpha, beta;
  int threads;  ///< oneDNN plans the work for this number
  auto operator<=>(const Key&) const = default;
};

Key key_of(const Gemm& gemm) {
  const bool ta = gemm.trans_a == Transpose::yes;
  const bool tb = gemm.trans_b == Transpose::yes;
  const std::int64_t k = ta ? gemm.a.rows : gemm.a.cols;
  return {{gemm.c.rows, gemm.c.cols, k, gemm.a.ld, gemm.b.ld, gemm.c.ld, (ta ? 1 : 0) + (tb ? 2 : 0),
           static_cast<std::int64_t>(gemm.activation) * 2 + (gemm.bias.size > 0 ? 1 : 0)},
          gemm.a.type,
          gemm.c.type,
          gemm.alpha,
          gemm.beta,
          threads()};
}

using Memory = dnnl::memory;

Memory::data_type memory_type(DataType type) {
  return type == DataType::bf16 ? Memory::data_type::bf16 : Memory::data_type::f32;
}

/// Describes op(m) in memory.
Memory::desc matrix_desc(const ConstMatrixView& m, Transpose transpose) {
  const auto type = memory_type(m.type);
  if (transpose == Transpose::yes) return {{m.cols, m.rows}, type, Memory::dims{1, m.ld}};
  return {{m.rows, m.cols}, type, Memory::dims{m.ld, 1}};
}

bool dispatches_to(dnnl::cpu_isa isa) {  // an instruction set has the bits of all sets that it contains
  const auto wanted = static_cast<unsigned>(isa);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
}

// oneDNN 2.x has a scale argument before the algorithm; 3.x does not.
template <class PostOps>
void append_eltwise(PostOps& ops, dnnl::algorithm algorithm, float alpha) {
  if constexpr (requires { ops.append_eltwise(1.0F, algorithm, alpha, 0.0F); }) {
    ops.append_eltwise(1.0F, algorithm, alpha, 0.0F);
  } else {
    ops.append_eltwise(algorithm, alpha, 0.0F);
  }
}

// oneDNN 2.x needs an operation descriptor; 3.x does not have it. The result is empty if there is no implementation.
template <class Matmul, class... Descs>
auto make_primitive_desc(const dnnl::engine& engine, const dnnl::primitive_attr& attributes, const Descs&... descs) {
  using PrimitiveDesc = typename Matmul::primitive_desc;
  if constexpr (std::is_constructible_v<PrimitiveDesc, dnnl::engine, Descs..., dnnl::primitive_attr, bool>) {
    return PrimitiveDesc(engine, descs..., attributes, true);
  } else {
    return PrimitiveDesc(typename Matmul::desc(descs...), attributes, engine, true);
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

/// alpha A B + beta C, then the activation. The primitive itself adds the bias to A B.
dnnl::primitive_attr attributes_of(const Gemm& gemm) {
  dnnl::post_ops ops;
  if (gemm.alpha != 1) append_eltwise(ops, dnnl::algorithm::eltwise_linear, static_cast<float>(gemm.alpha));
  if (gemm.beta != 0) ops.append_sum(static_cast<float>(gemm.beta));
  append_activation(ops, gemm.activation);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(ops);
  return attributes;
}

/// A primitive and the memory objects for its calls.
struct Prepared {
  dnnl::matmul primitive;  ///< empty if oneDNN has none, or only reference loops for bf16
  Memory a, b, c, bias;
  std::unordered_map<int, Memory> arguments;
};

Prepared prepare(const dnnl::engine& engine, const Gemm& gemm) {
  const auto a = matrix_desc(gemm.a, gemm.trans_a);
  const auto b = matrix_desc(gemm.b, gemm.trans_b);
  const auto c = matrix_desc(gemm.c, Transpose::no);
  const std::int64_t n = gemm.c.cols;
  const Memory::desc bias({1, n}, memory_type(gemm.bias.type), Memory::dims{n, 1});
  const bool has_bias = gemm.bias.size > 0;
  const auto attributes = attributes_of(gemm);
  const auto desc = has_bias ? make_primitive_desc<dnnl::matmul>(engine, attributes, a, b, bias, c)
                             : make_primitive_desc<dnnl::matmul>(engine, attributes, a, b, c);
  const bool reference = desc && std::string_view(desc.impl_info_str()).starts_with("ref");
  if (!desc || (reference && gemm.a.type == DataType::bf16)) return {};
  Prepared prepared{dnnl::matmul(desc),         Memory(a, engine, nullptr),    Memory(b, engine, nullptr),
                    Memory(c, engine, nullptr), Memory(bias, engine, nullptr), {}};
  prepared.arguments = {{DNNL_ARG_SRC, prepared.a}, {DNNL_ARG_WEIGHTS, prepared.b}, {DNNL_ARG_DST, prepared.c}};
  if (has_bias) prepared.arguments.insert({DNNL_ARG_BIAS, prepared.bias});
  return prepared;
}

[[noreturn]] void refuse(const char* what, const Gemm& gemm, std::string_view why) {
  throw Error(fmt::format("oneDNN {} [{},{}] = op([{},{}]) op([{},{}]): {}", what, gemm.c.rows, gemm.c.cols,
                          gemm.a.rows, gemm.a.cols, gemm.b.rows, gemm.b.cols, why));
}

}  // namespace

class GemmOneDnn::Cache {
 public:
  bool has_primitive(const Gemm& gemm) { return static_cast<bool>(prepared(gemm).primitive); }

  void execute(const Gemm& gemm) {
    Prepared& call = prepared(gemm);
    require(static_cast<bool>(call.primitive), "oneDNN cannot compute this product of {}", name_of(gemm.a.type));
    const auto pointer = [](const std::byte* data) { return const_cast<std::byte*>(data); };
    call.a.set_data_handle(pointer(gemm.a.data));
    call.b.set_data_handle(pointer(gemm.b.data));
    call.c.set_data_handle(gemm.c.data);
    if (gemm.bias.size > 0) call.bias.set_data_handle(pointer(gemm.bias.data));
    call.primitive.execute(stream_, call.arguments);
    stream_.wait();
  }

 private:
  Prepared& prepared(const Gemm& gemm) {
    const Key key = key_of(gemm);
    auto found = prepared_.find(key);
    if (found == prepared_.end()) {
      if (prepared_.size() >= kMostShapes) prepared_.clear();
      found = prepared_.emplace(key, prepare(engine_, gemm)).first;
    }
    return found->second;
  }

  static constexpr std::size_t kMostShapes = 256;

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::map<Key, Prepared> prepared_;
};

VectorWidth vector_width() {
  static const bool wide = dispatches_to(dnnl::cpu_isa::avx512_core);
  return wide ? VectorWidth::bits_512 : VectorWidth::bits_256_or_less;
}

bool has_bf16_products() {
  static const bool has = dispatches_to(dnnl::cpu_isa::avx512_core_bf16);
  return has;
}

GemmOneDnn::GemmOneDnn() : cache_(std::make_unique<Cache>()) {}
GemmOneDnn::~GemmOneDnn() = default;

bool GemmOneDnn::multiplies_bf16(const Gemm& gemm) { return has_bf16_products() && cache_->has_primitive(gemm); }

void GemmOneDnn::execute(const Gemm& gemm) {
  try {
    cache_->execute(gemm);
  } catch (const dnnl::error& error) {
    refuse("matmul", gemm, fmt::format("{} ({})", error.what(), dnnl_status2str(error.status)));
  }
}

void sgemm_onednn(const Gemm& gemm, const GemmShape& shape) {
  const auto letter = [](Transpose transpose) { return transpose == Transpose::yes ? 'T' : 'N'; };
  const dnnl::status status =
      dnnl::sgemm(letter(gemm.trans_a), letter(gemm.trans_b), shape.m, shape.n, shape.k, static_cast<float>(gemm.alpha),
                  gemm.a.as<float>(), gemm.a.ld, gemm.b.as<float>(), gemm.b.ld, static_cast<float>(gemm.beta),
                  gemm.c.as<float>(), gemm.c.ld);
  if (status != dnnl::status::success) refuse("sgemm", gemm, dnnl_status2str(static_cast<dnnl_status_t>(status)));
}

}  // namespace recombine::cpu
