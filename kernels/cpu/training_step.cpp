#include <algorithm>
#include <atomic>
#include <cmath>

#include "kernels/cpu/cast.hpp"
#include "kernels/cpu/cpu_math.hpp"
#include "kernels/cpu/loops/loops.hpp"
#include "kernels/cpu/split_work.hpp"

namespace recombine::cpu {

namespace {

/// Cuts the step's weights into ranges with the same weight decay, and calls f(begin, end, decay) for each.
template <class F>
void for_decays(const OptimizerStep& step, const F& f) {
  const std::int64_t* const flat = step.undecayed.as<std::int64_t>();
  std::int64_t done = 0;
  const auto to = [&](std::int64_t end, float decay) {
    const std::int64_t inside = std::clamp(end - step.first_weight, done, step.weights.size);
    if (inside > done) f(done, inside, decay);
    done = inside;
  };
  for (std::int64_t r = 0; r < step.undecayed.size; r += 2) {
    to(flat[r], step.weight_decay);
    to(flat[r + 1], 0);
  }
  to(step.first_weight + step.weights.size, step.weight_decay);
}

/// Returns 1 + the flat index of the last weight of [begin, end) that is NaN or infinite, by OptimizerStep::bad_weight;
/// 0: none.
double bad_weight(const OptimizerStep& step, std::int64_t begin, std::int64_t end, float scale) {
  const float* const w = step.weights.as<float>();
  const float* const g = step.gradient.as<float>();
  double bad = 0;
  for (std::int64_t n = begin; n < end; ++n) {
    if (std::isfinite(w[n])) continue;
    const bool by_norm = !std::isfinite(scale) && std::isfinite(g[n]);
    bad = std::max(bad, by_norm ? 1 : static_cast<double>(1 + step.first_weight + n));
  }
  return bad;
}

/// Updates weights [first, last). Returns false if one of them becomes NaN or infinite.
bool update(const OptimizerStep& step, std::int64_t first, std::int64_t last, float decay, float scale) {
  const OptimizerRates rates = *step.rates;
  const AdamWScalars adamw = {
      rates.lr, step.beta1, step.beta2, step.epsilon, decay, rates.first_correction, rates.second_correction, scale};
  std::atomic<bool> diverged = false;
  for_elements(last - first, kGrain, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t n = end - begin;
    begin += first;
    end += first;
    float* const w = step.weights.as<float>() + begin;
    const float* const g = step.gradient.as<float>() + begin;
    const auto moment = [begin](const VectorView& flat) { return flat.as<float>() + begin; };
    bool finite = true;
    switch (step.kind) {
      case OptimizerKind::sgd: finite = loops().sgd(w, g, n, rates.lr, decay, scale); break;
      case OptimizerKind::momentum:
        finite = loops().momentum(w, g, moment(step.first_moment), n, rates.lr, step.beta1, decay, scale);
        break;
      case OptimizerKind::adamw:
        finite = loops().adamw(w, g, moment(step.first_moment), moment(step.second_moment), n, adamw);
        break;
    }
    if (!finite) diverged = true;
    if (step.rounded_weights.size > 0) {
      cast_vector(step.weights.range(begin, end), step.rounded_weights.range(begin, end));
    }
  });
  return !diverged;
}

}  // namespace

void CpuMath::begin_step(Stream&, const BeginStep& call) {
  StepValues& values = *call.values;
  const std::int64_t n = values.begun++;
  if (n > 0) call.results[(n - 1) % call.slots] = values.sums;
  values.sums = {};
  values.clip_square_sum = 0;
  values.input = call.inputs[n % call.slots];
}

void CpuMath::batch_rows(Stream&, const BatchRows& call) {
  std::int64_t* const rows = call.rows.as<std::int64_t>();
  for (std::int64_t r = 0; r < call.rows.size; ++r) {
    const std::int64_t position = call.first + r;
    rows[r] = call.order ? call.order->permutation(call.order->position + position) : position;
  }
}

void CpuMath::optimizer_step(Stream&, const OptimizerStep& step) {
  float scale = 1;
  if (step.clip_norm > 0) {
    const double norm = std::sqrt(*step.gradient_square_sum);
    const double fits = static_cast<double>(step.clip_norm) / norm;
    scale = fits >= 1 ? 1.0F : static_cast<float>(fits);  // NaN if the norm is NaN
  }
  for_decays(step, [&](std::int64_t begin, std::int64_t end, float decay) {
    if (update(step, begin, end, decay, scale) || !step.bad_weight) return;
    *step.bad_weight = std::max(*step.bad_weight, bad_weight(step, begin, end, scale));
  });
}

}  // namespace recombine::cpu
