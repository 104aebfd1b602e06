#include <cmath>
#include <cstring>
#include <functional>
#include <string>

#include "tests/support/loops_here.hpp"
#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using cpu::LoopActivation;
using cpu::Loops;
using test::random_values;

constexpr std::int64_t kRows = 3;
constexpr std::int64_t kCols = 333;  // not a multiple of any vector length
constexpr std::int64_t kSize = kRows * kCols;

/// A loop with fixed inputs. It returns its outputs as doubles.
struct Case {
  std::string name;
  std::function<std::vector<double>(const Loops&)> run;
};

template <class T>
std::vector<double> as_doubles(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

std::vector<double> with(std::vector<float> values, std::initializer_list<double> more) {
  auto all = as_doubles(values);
  all.insert(all.end(), more);
  return all;
}

Case bias_activation(LoopActivation activation) {
  return {"bias_activation " + std::to_string(static_cast<int>(activation)), [activation](const Loops& loops) {
            const auto x = random_values(kSize, 1);
            const auto bias = random_values(kSize, 2);
            std::vector<float> y(kSize);
            loops.bias_activation.f32(x.data(), bias.data(), y.data(), kSize, activation);
            return as_doubles(y);
          }};
}

Case activation_gradient(LoopActivation activation) {
  return {"activation_gradient " + std::to_string(static_cast<int>(activation)), [activation](const Loops& loops) {
            const auto saved = random_values(kSize, 1);
            auto gradient = random_values(kSize + kCols, 2);  // the last row receives the sums
            loops.activation_gradient.f32({.saved = saved.data(),
                                           .saved_ld = kCols,
                                           .incoming = gradient.data(),
                                           .incoming_ld = kCols,
                                           .gradient = gradient.data(),
                                           .gradient_ld = kCols,
                                           .rows = kRows,
                                           .cols = kCols,
                                           .bias_gradient = gradient.data() + kSize,
                                           .beta = 0.5F,
                                           .activation = activation});
            return as_doubles(gradient);
          }};
}

/// Calls the loops that write bf16, and returns the bits that they write. The last values are sums of columns.
Case in_bf16(LoopActivation activation) {
  return {"bf16 activation " + std::to_string(static_cast<int>(activation)), [activation](const Loops& loops) {
            const auto x = random_values(kSize, 1);
            const auto y = random_values(kSize, 2);
            std::vector<std::uint16_t> bits(5 * kSize);
            std::vector<float> sums(2 * kCols);
            std::uint16_t* const saved = bits.data();
            loops.cast.f32_to_bf16(x.data(), saved, kSize);
            loops.bias_activation.f32_to_bf16(y.data(), saved, saved + kSize, kSize, activation);
            loops.bias_activation.bf16(saved + kSize, saved, saved + 2 * kSize, kSize, activation);
            loops.activation_gradient.f32_to_bf16({.saved = saved,
                                                   .saved_ld = kCols,
                                                   .incoming = y.data(),
                                                   .incoming_ld = kCols,
                                                   .gradient = saved + 3 * kSize,
                                                   .gradient_ld = kCols,
                                                   .rows = kRows,
                                                   .cols = kCols,
                                                   .bias_gradient = sums.data(),
                                                   .beta = 0,
                                                   .activation = activation});
            loops.activation_gradient.bf16({.saved = saved,
                                            .saved_ld = kCols,
                                            .incoming = saved + kSize,
                                            .incoming_ld = kCols,
                                            .gradient = saved + 4 * kSize,
                                            .gradient_ld = kCols,
                                            .rows = kRows,
                                            .cols = kCols,
                                            .bias_gradient = sums.data() + kCols,
                                            .beta = 0,
                                            .activation = activation});
            auto all = as_doubles(bits);
            all.insert(all.end(), sums.begin(), sums.end());
            return all;
          }};
}

Case axpby(float beta) {
  return {"axpby with beta " + std::to_string(beta), [beta](const Loops& loops) {
            const auto x = random_values(kSize, 1);
            auto y = random_values(kSize, 2);
            const std::vector<double> wide_x(x.begin(), x.end());
            std::vector<double> wide_y(y.begin(), y.end());
            loops.axpby_f32(0.3F, x.data(), beta, y.data(), kSize);
            loops.axpby_f64(0.3, wide_x.data(), beta, wide_y.data(), kSize);
            wide_y.insert(wide_y.end(), y.begin(), y.end());
            return wide_y;
          }};
}

Case gather(float shift) {
  return {"gather with shift " + std::to_string(shift), [shift](const Loops& loops) {
            std::vector<std::uint8_t> bytes(kSize);
            for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 31);
            const auto x = random_values(kSize, 1);
            std::vector<float> out(2 * kSize);
            loops.gather_u8(bytes.data(), out.data(), kSize, 1.0F / 255, shift);
            loops.gather_f32(x.data(), out.data() + kSize, kSize, 0.7F, shift);
            return as_doubles(out);
          }};
}

Case fingerprint() {
  return {"fingerprint", [](const Loops& loops) {
            const auto x = random_values(kSize + 1, 1);
            std::vector<std::uint64_t> words((kSize + 1) / 2);
            std::memcpy(words.data(), x.data(), words.size() * sizeof(std::uint64_t));
            std::vector<double> halves;
            const auto add = [&](std::uint64_t sum) {
              halves.push_back(static_cast<double>(sum >> 32));
              halves.push_back(static_cast<double>(sum & 0xffffffff));
            };
            const auto n = static_cast<std::int64_t>(words.size());
            const auto* const bytes = reinterpret_cast<const std::byte*>(words.data());
            add(loops.fingerprint.bits64(words.data(), n, 5, 7));
            add(loops.fingerprint.bits32(reinterpret_cast<const std::uint32_t*>(bytes), 2 * n, 5, 7));
            add(loops.fingerprint.bits16(reinterpret_cast<const std::uint16_t*>(bytes), 4 * n, 5, 7));
            return halves;
          }};
}

Case largest_of_a_row() {
  return {"the maximum of softmax_stats", [](const Loops& loops) {
            auto x = random_values(kCols, 1);
            x[200] = x[100] = 2;
            const SoftmaxRowStats stats = loops.loss.softmax_stats(x.data(), kCols, 10, 20);
            return std::vector<double>{stats.largest, static_cast<double>(stats.at), stats.label_logit};
          }};
}

Case softmax() {
  return {"softmax", [](const Loops& loops) {
            const auto x = random_values(kCols, 1);
            std::vector<float> gradient(2 * kCols);
            const auto fused = loops.loss.softmax_cross_entropy(x.data(), kCols, 7, gradient.data(), 0.5F);
            const SoftmaxRowStats stats = loops.loss.softmax_stats(x.data(), kCols, 0, 7);
            const auto joined = loops.loss.softmax_from_stats({.logits = x.data(),
                                                               .cols = kCols,
                                                               .first_col = 0,
                                                               .label = 7,
                                                               .stats = &stats,
                                                               .stats_ld = 1,
                                                               .parts = 1,
                                                               .gradient = gradient.data() + kCols,
                                                               .scale = 0.5F});
            return with(gradient, {fused.loss, fused.correct, joined.loss, joined.correct, stats.sum / kCols});
          }};
}

Case squares() {
  return {"squared_error and square_sum", [](const Loops& loops) {
            const auto x = random_values(kSize, 1);
            const auto targets = random_values(kSize, 2);
            std::vector<float> gradient(kSize);
            const auto row = loops.loss.squared_error({.outputs = x.data(),
                                                       .targets = targets.data(),
                                                       .cols = kSize,
                                                       .global_cols = 2 * kSize,
                                                       .gradient = gradient.data(),
                                                       .scale = 100});
            return with(gradient, {row.loss, loops.square_sum(x.data(), kSize) / kSize});
          }};
}

/// Weights and moments after one step. A second step has a NaN in its gradient, and must report it.
Case optimizer(const char* name, std::function<bool(const Loops&, float* w, const float* g, float* m, float* v)> step) {
  return {name, [step = std::move(step)](const Loops& loops) {
            auto w = random_values(3 * kSize, 1);
            auto g = random_values(kSize, 2);
            for (float& x : w) x = std::abs(x);  // the second moment must not be negative: its root is taken
            const bool finite = step(loops, w.data(), g.data(), w.data() + kSize, w.data() + 2 * kSize);
            auto after = with(w, {finite ? 1.0 : 0.0});
            g[kSize - 2] = NAN;
            const bool still = step(loops, w.data(), g.data(), w.data() + kSize, w.data() + 2 * kSize);
            after.push_back(still ? 1.0 : 0.0);
            return after;
          }};
}

/// Loops that add nothing to a product, so a fused multiply-add cannot change their rounding.
std::vector<Case> cases_of_equal_bits() {
  return {bias_activation(LoopActivation::identity),
          bias_activation(LoopActivation::relu),
          activation_gradient(LoopActivation::identity),
          activation_gradient(LoopActivation::relu),
          in_bf16(LoopActivation::identity),
          in_bf16(LoopActivation::relu),
          axpby(0),
          gather(0),
          fingerprint(),
          largest_of_a_row()};
}

std::vector<Case> cases_of_near_values() {
  return {bias_activation(LoopActivation::gelu),
          bias_activation(LoopActivation::tanh),
          bias_activation(LoopActivation::sigmoid),
          activation_gradient(LoopActivation::gelu),
          activation_gradient(LoopActivation::tanh),
          activation_gradient(LoopActivation::sigmoid),
          axpby(0.7F),
          gather(0.1F),
          softmax(),
          squares(),
          optimizer("sgd", [](const Loops& loops, float* w, const float* g, float*,
                              float*) { return loops.sgd(w, g, kSize, 0.1F, 0.01F, 0.5F); }),
          optimizer("momentum", [](const Loops& loops, float* w, const float* g, float* m,
                                   float*) { return loops.momentum(w, g, m, kSize, 0.1F, 0.9F, 0.01F, 0.5F); }),
          optimizer("adamw", [](const Loops& loops, float* w, const float* g, float* m, float* v) {
            return loops.adamw(w, g, m, v, kSize, {0.1F, 0.9F, 0.999F, 1e-8F, 0.01F, 10, 1000, 0.5F});
          })};
}

void expect_agreement(const std::vector<Case>& cases, double most) {
  const auto sets = test::loops_here();
  for (const Case& c : cases) {
    const auto expected = c.run(*sets.front());
    for (std::size_t s = 1; s < sets.size(); ++s) {
      SCOPED_TRACE(c.name + " with " + sets[s]->instruction_set + " and " + sets.front()->instruction_set);
      const auto values = c.run(*sets[s]);
      ASSERT_EQ(values.size(), expected.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_LE(std::abs(values[i] - expected[i]), most) << values[i] << " and " << expected[i] << " at " << i;
      }
    }
  }
}

TEST(LoopsTest, EveryInstructionSetOfThisMachineGivesTheSameBits) {
  if (test::loops_here().size() < 2) GTEST_SKIP() << "this machine has x86-64-v2 only";
  expect_agreement(cases_of_equal_bits(), 0);
}

TEST(LoopsTest, EveryInstructionSetOfThisMachineAgrees) {
  if (test::loops_here().size() < 2) GTEST_SKIP() << "this machine has x86-64-v2 only";
  expect_agreement(cases_of_near_values(), 2e-6);
}

}  // namespace
}  // namespace recombine
