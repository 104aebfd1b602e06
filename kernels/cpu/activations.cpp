#include "kernels/cpu/activations.hpp"

#include <algorithm>
#include <atomic>

#include "kernels/cpu/loops/loops.hpp"
#include "kernels/cpu/split_work.hpp"
#include "kernels/math_checks.hpp"

namespace recombine::cpu {

namespace {

LoopActivation loop_activation(Activation activation) { return static_cast<LoopActivation>(activation); }

template <class From, class To>
void activate_rows(const BiasActivation& call,
                   void (*loop)(const From*, const To*, To*, std::int64_t, LoopActivation)) {
  const To* const bias = call.bias.size > 0 ? call.bias.as<To>() : nullptr;
  for_rows(call.out.rows, call.out.cols, [&](std::int64_t i) {
    loop(call.in.as<From>() + i * call.in.ld, bias, call.out.as<To>() + i * call.out.ld, call.out.cols,
         loop_activation(call.activation));
  });
}

template <class Stored, class In>
void gradient_stripes(const ActivationGradient& call, bool (*loop)(const GradientStripe<Stored, In>&)) {
  const MatrixView& g = call.gradient;
  const ConstMatrixView incoming = incoming_of(call);
  std::atomic<bool> bad = false;
  for_columns(g.rows, g.cols, [&](std::int64_t begin, std::int64_t end) {
    if (!loop({.saved = call.saved.as<Stored>() + begin,
               .saved_ld = call.saved.ld,
               .incoming = incoming.as<In>() + begin,
               .incoming_ld = incoming.ld,
               .gradient = g.as<Stored>() + begin,
               .gradient_ld = g.ld,
               .rows = g.rows,
               .cols = end - begin,
               .bias_gradient = call.bias_gradient.size > 0 ? call.bias_gradient.as<float>() + begin : nullptr,
               .beta = call.beta,
               .activation = loop_activation(call.activation),
               .checks_saved = call.bad_saved != nullptr})) {
      bad = true;
    }
  });
  if (bad) *call.bad_saved = std::max(*call.bad_saved, call.bad_mark);
}

}  // namespace

void bias_activation(const BiasActivation& call) {
  check_bias_activation(call);
  const BiasActivationLoops& loop = loops().bias_activation;
  if (call.out.type == DataType::f32) return activate_rows(call, loop.f32);
  call.in.type == DataType::f32 ? activate_rows(call, loop.f32_to_bf16) : activate_rows(call, loop.bf16);
}

void activation_gradient(const ActivationGradient& call) {
  check_activation_gradient(call);
  const GradientLoops& loop = loops().activation_gradient;
  if (call.gradient.type == DataType::f32) return gradient_stripes(call, loop.f32);
  incoming_of(call).type == DataType::f32 ? gradient_stripes(call, loop.f32_to_bf16)
                                          : gradient_stripes(call, loop.bf16);
}

}  // namespace recombine::cpu
