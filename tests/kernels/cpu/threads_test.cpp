#include <algorithm>
#include <bit>

#include "kernels/cpu/parallel_for.hpp"
#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using test::matrix_of;
using test::random_values;
using test::view_of;

constexpr std::int64_t kRows = 301;
constexpr std::int64_t kCols = 517;  // not a multiple of a vector's length or of the number of threads

/// Runs each operation on 1, 2 and 3 threads and compares bits. Only matrix products may differ.
class ThreadsTest : public test::MathTest {
 protected:
  void TearDown() override { cpu::set_threads(1); }

  /// `work` fills a vector of `size` values, a new one for each number of threads.
  template <class Work>
  void expect_same_bits(std::int64_t size, const Work& work) {
    std::vector<std::uint32_t> expected;
    for (const int threads : {1, 2, 3}) {
      cpu::set_threads(threads);
      auto out = random_values(size, 9);
      work(out);
      std::vector<std::uint32_t> bits;
      for (const float v : out) bits.push_back(std::bit_cast<std::uint32_t>(v));
      if (threads == 1) expected = bits;
      const auto [found, wanted] = std::mismatch(bits.begin(), bits.end(), expected.begin());
      if (found == bits.end()) continue;
      ADD_FAILURE() << threads << " threads: element " << found - bits.begin() << " is " << std::bit_cast<float>(*found)
                    << ", on one thread " << std::bit_cast<float>(*wanted);
    }
  }

  std::vector<float> x_ = random_values(kRows * kCols, 1);
};

TEST_F(ThreadsTest, Fill) {
  expect_same_bits(kRows * kCols, [&](auto& out) {
    math_.fill(*stream_, matrix_of(out, kRows, kCols), {.seed = 1, .global_cols = kCols, .half_width = 0.3F});
  });
}

TEST_F(ThreadsTest, TransposedFillAndCast) {
  std::vector<BFloat16> narrow(kRows * kCols);
  expect_same_bits(kRows * kCols, [&](auto& out) {
    math_.fill(*stream_, matrix_of(out, kRows, kCols),
               {.seed = 1, .global_cols = kRows, .half_width = 0.3F, .transpose = Transpose::yes});
    math_.cast(*stream_, matrix_of(out, kRows, kCols), matrix_of(narrow, kRows, kCols));
    math_.cast(*stream_, matrix_of(narrow, kRows, kCols), matrix_of(out, kRows, kCols));
  });
}

TEST_F(ThreadsTest, GatherRows) {
  std::vector<std::int64_t> rows(kRows);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i * 7 % rows.size());
  expect_same_bits(kRows * kCols, [&](auto& out) {
    math_.gather_rows(*stream_, {.source = matrix_of(x_, kRows, kCols),
                                 .rows = view_of(rows),
                                 .out = matrix_of(out, kRows, kCols),
                                 .scale = 0.3F,
                                 .shift = 0.1F});
  });
}

TEST_F(ThreadsTest, ActivationsAndTheirGradients) {
  for (const Activation activation :
       {Activation::identity, Activation::relu, Activation::gelu, Activation::tanh, Activation::sigmoid}) {
    SCOPED_TRACE(static_cast<int>(activation));
    expect_same_bits(kRows * kCols, [&](auto& out) {
      math_.bias_activation(*stream_, {.in = matrix_of(x_, kRows, kCols),
                                       .bias = view_of(x_).range(0, kCols),
                                       .out = matrix_of(out, kRows, kCols),
                                       .activation = activation});
    });
    expect_same_bits((kRows + 1) * kCols, [&](auto& out) {
      math_.activation_gradient(*stream_, {.saved = matrix_of(x_, kRows, kCols),
                                           .gradient = matrix_of(out, kRows + 1, kCols).block(0, 0, kRows, kCols),
                                           .bias_gradient = view_of(out).range(kRows * kCols, (kRows + 1) * kCols),
                                           .beta = 0.7F,
                                           .activation = activation});
    });
  }
}

TEST_F(ThreadsTest, Losses) {
  std::vector<std::int64_t> rows(kRows);
  std::vector<std::int32_t> labels(kRows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = static_cast<std::int64_t>(i * 5 % rows.size());
    labels[i] = static_cast<std::int32_t>(i % kCols);
  }
  std::vector<double> losses;
  expect_same_bits(kRows * kCols, [&](auto& out) {
    LossSums sums;
    math_.softmax_cross_entropy(*stream_, {.logits = matrix_of(x_, kRows, kCols),
                                           .labels = view_of(labels),
                                           .rows = view_of(rows),
                                           .gradient = matrix_of(out, kRows, kCols),
                                           .gradient_scale = 0.1F,
                                           .sums = &sums});
    losses.push_back(sums.loss_sum);
  });
  expect_same_bits(kRows * kCols, [&](auto& out) {
    LossSums sums;
    math_.squared_error(*stream_, {.outputs = matrix_of(x_, kRows, kCols),
                                   .targets = matrix_of(x_, kRows, kCols),
                                   .rows = view_of(rows),
                                   .gradient = matrix_of(out, kRows, kCols),
                                   .gradient_scale = 0.1F,
                                   .sums = &sums});
    losses.push_back(sums.loss_sum);
  });
  ASSERT_EQ(losses.size(), 6U);
  for (const std::size_t first : {0, 3}) {
    EXPECT_EQ(losses[first], losses[first + 1]);
    EXPECT_EQ(losses[first], losses[first + 2]);
  }
}

TEST_F(ThreadsTest, SumsAndScaledSums) {
  std::vector<double> squares;
  for (const int threads : {1, 2, 3}) {
    cpu::set_threads(threads);
    squares.push_back(0.1);
    math_.add_square_sum(*stream_, view_of(x_), &squares.back());
  }
  EXPECT_EQ(squares, std::vector<double>(3, squares[0]));
  for (const std::int64_t begin : {0, 1, 5}) {  // aligned and unaligned
    expect_same_bits(kRows * kCols, [&](auto& out) {
      math_.axpby(*stream_, 0.3F, view_of(x_).range(begin, kRows * kCols), 0.7F,
                  view_of(out).range(begin, kRows * kCols));
    });
  }
}

TEST_F(ThreadsTest, Fingerprint) {
  constexpr std::int64_t kSize = 300'000;
  const auto x = random_values(kSize, 2);
  for (const auto& [rows, cols] : {std::pair{std::int64_t{1}, kSize}, {kSize, std::int64_t{1}}, {300, 1000}}) {
    std::vector<std::int64_t> sums;
    for (const int threads : {1, 2, 3}) {
      cpu::set_threads(threads);
      sums.push_back(0);
      math_.fingerprint(*stream_, {.block = matrix_of(x, rows, cols), .global_cols = cols, .sum = &sums.back()});
    }
    EXPECT_EQ(sums, std::vector<std::int64_t>(3, sums[0])) << rows << " x " << cols;
  }
}

TEST_F(ThreadsTest, OptimizerSteps) {
  constexpr std::int64_t kSize = kRows * kCols / 3;
  const OptimizerRates rates = OptimizerRates::at(3, 0.01);
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adamw}) {
    for (const std::int64_t begin : {0, 1, 5}) {
      SCOPED_TRACE(::testing::Message() << "kind " << static_cast<int>(kind) << " from " << begin);
      expect_same_bits(3 * kSize, [&](auto& out) {
        for (float& v : out) v = v * v;  // the second moment must not be negative: its root is taken
        const auto part = [&](std::int64_t p) { return view_of(out).range(p * kSize + begin, (p + 1) * kSize); };
        math_.optimizer_step(*stream_, {.kind = kind,
                                        .weights = part(0),
                                        .gradient = view_of(x_).range(begin, kSize),
                                        .first_moment = part(1),
                                        .second_moment = part(2),
                                        .rates = &rates,
                                        .weight_decay = 0.1F});
      });
    }
  }
}

}  // namespace
}  // namespace recombine
