#include "distributed/multiply.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "distributed/session.hpp"
#include "kernels/error.hpp"
#include "tests/support/held_matrix.hpp"
#include "tests/support/placements.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

using test::Elements;
using test::HeldMatrix;

// Small whole numbers: every sum of products is exact in f32.
double a_at(std::int64_t i, std::int64_t l) { return static_cast<double>((i * 3 + l * 5) % 7 - 3); }
double b_at(std::int64_t l, std::int64_t j) { return static_cast<double>((l * 2 + j * 3) % 5 - 2); }
double bias_at(std::int64_t j) { return static_cast<double>(j % 4 - 1); }
Elements transposed(const Elements& elements) {
  return [=](std::int64_t i, std::int64_t j) { return elements(j, i); };
}

struct Size {
  std::int64_t m, n, k;
};
const std::vector<Size> kSizes = {{7, 5, 11}, {1, 1, 1}, {3, 2, 1}, {16, 8, 24}, {0, 3, 4}, {4, 3, 0}};

double product_at(const Size& size, std::int64_t i, std::int64_t j) {
  double sum = 0;
  for (std::int64_t l = 0; l < size.k; ++l) sum += a_at(i, l) * b_at(l, j);
  return sum;
}

class MultiplyTest : public ::testing::Test {
 protected:
  /// op(A) [i,k], op(B) [k,j] and C [i,j] over the whole mesh; C holds 1 everywhere.
  struct Matrices {
    Matrices(const RankContext& context, const Size& size, Transpose trans_a, Transpose trans_b)
        : a(trans_a == Transpose::yes ? HeldMatrix(context, {size.k, size.m}, {.rows = Axis::k, .cols = Axis::i})
                                      : HeldMatrix(context, {size.m, size.k}, {.rows = Axis::i, .cols = Axis::k})),
          b(trans_b == Transpose::yes ? HeldMatrix(context, {size.n, size.k}, {.rows = Axis::j, .cols = Axis::k})
                                      : HeldMatrix(context, {size.k, size.n}, {.rows = Axis::k, .cols = Axis::j})),
          c(context, {size.m, size.n}, {.rows = Axis::i, .cols = Axis::j}) {
      a.fill(trans_a == Transpose::yes ? transposed(a_at) : a_at);
      b.fill(trans_b == Transpose::yes ? transposed(b_at) : b_at);
      c.fill([](auto, auto) { return 1; });
    }
    HeldMatrix a, b, c;
  };
  void refused(const Product& product, const std::string& why) {
    try {
      multiply(context_, product);
      FAIL() << "expected: " << why;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    }
  }

  std::unique_ptr<Device> device_ = make_device({.progress = test::session().progress()});
  std::unique_ptr<Communicator> host_ = make_world(test::session());
  RankContext context_ = {{1, 1, host_->size()}, *host_, *device_};
};

TEST_F(MultiplyTest, TermsAddUpToTheProduct) {
  for (const Mesh& mesh : test::all_meshes(host_->size())) {
    RankContext context(mesh, *host_, *device_);
    for (const Size& size : kSizes) {
      for (const auto trans_a : {Transpose::no, Transpose::yes}) {
        for (const auto trans_b : {Transpose::no, Transpose::yes}) {
          Matrices m(context, size, trans_a, trans_b);
          m.c.set_state(Axis::k, State::sharded);  // as an earlier product may have left it
          const double before = context.flops();
          multiply(context, {.a = m.a, .trans_a = trans_a, .b = m.b, .trans_b = trans_b, .c = m.c, .alpha = 2});
          const auto local = [&](Axis axis, std::int64_t n) {
            return static_cast<double>(split_range(n, mesh.extent(axis), context.coord()[axis]).size());
          };
          EXPECT_EQ(context.flops() - before,
                    2 * local(Axis::i, size.m) * local(Axis::j, size.n) * local(Axis::k, size.k));
          EXPECT_EQ(m.c.placement()[Axis::k], mesh.extent(Axis::k) > 1 ? State::partial : State::replicated);
          recombine(context, m.c, Axis::k, State::replicated);
          EXPECT_EQ(m.c.differing([&](auto i, auto j) { return 2 * product_at(size, i, j); }), 0)
              << "mesh " << mesh.to_string() << ", " << size.m << " x " << size.n << " x " << size.k;
        }
      }
    }
  }
}

TEST_F(MultiplyTest, EveryRankAlongTheContractedAxisAddsBetaTimesC) {
  Matrices m(context_, {7, 5, 11}, Transpose::no, Transpose::no);
  multiply(context_, {.a = m.a, .b = m.b, .c = m.c, .beta = 3});
  recombine(context_, m.c, Axis::k, State::replicated);
  EXPECT_EQ(m.c.differing([&](auto i, auto j) { return product_at({7, 5, 11}, i, j) + 3 * host_->size(); }), 0);
}

TEST_F(MultiplyTest, AppliesBiasAndActivationIfNoSumFollows) {
  for (const Mesh& mesh : test::all_meshes(host_->size())) {
    if (mesh.extent(Axis::k) > 1) continue;
    RankContext context(mesh, *host_, *device_);
    const Size size = {7, 5, 11};
    Matrices m(context, size, Transpose::no, Transpose::no);
    HeldMatrix bias(context, {1, size.n}, {.cols = Axis::j});
    bias.fill([](auto, auto j) { return bias_at(j); });
    EXPECT_TRUE(complete_after_multiply(mesh, m.a, Transpose::no));
    multiply(context, {.a = m.a, .b = m.b, .c = m.c, .bias = &bias, .activation = Activation::relu});
    const auto expected = [&](auto i, auto j) { return std::max(0.0, product_at(size, i, j) + bias_at(j)); };
    EXPECT_EQ(m.c.differing(expected), 0) << mesh.to_string();
  }
}

TEST_F(MultiplyTest, AMatrixThatIsNotCutIsMultipliedOnEveryRank) {
  const Size size = {4, 6, 5};
  HeldMatrix a(context_, {size.m, size.k}, {});
  HeldMatrix b(context_, {size.k, size.n}, {.cols = Axis::k});
  HeldMatrix c(context_, {size.m, size.n}, {.cols = Axis::k});
  a.fill(a_at);
  b.fill(b_at);
  EXPECT_TRUE(complete_after_multiply(context_.mesh(), a, Transpose::no));
  multiply(context_, {.a = a, .b = b, .c = c});
  EXPECT_EQ(c.differing([&](auto i, auto j) { return product_at(size, i, j); }), 0);
}

TEST_F(MultiplyTest, OperandsThatDoNotFitAreRefused) {
  const Placement rows_i = {.rows = Axis::i, .cols = Axis::k};
  const Placement rows_k = {.rows = Axis::k, .cols = Axis::j};
  const Placement result = {.rows = Axis::i, .cols = Axis::j};
  const HeldMatrix a(context_, {6, 4}, rows_i);
  const HeldMatrix b(context_, {4, 8}, rows_k);
  HeldMatrix c(context_, {6, 8}, result);
  HeldMatrix other_shape(context_, {8, 6}, result);
  refused({.a = a, .b = b, .c = other_shape}, "[6,4] x [4,8] does not give [8,6]");
  refused({.a = b, .b = a, .c = c}, "[4,8] x [6,4] does not give [6,8]");
  const HeldMatrix uncut(context_, {4, 8}, {.cols = Axis::j});
  refused({.a = a, .b = uncut, .c = c}, "do not give");
  HeldMatrix swapped(context_, {6, 8}, {.rows = Axis::j, .cols = Axis::i});
  refused({.a = a, .b = b, .c = swapped}, "placements [i,k] j:replicated x [k,j] i:replicated do not give [j,i]");
  for (const State state : {State::partial, State::sharded}) {
    HeldMatrix unfinished(context_, {6, 4}, rows_i);
    unfinished.set_state(Axis::j, state);
    refused({.a = unfinished, .b = b, .c = c}, "operands must be recombined first");
    HeldMatrix second(context_, {4, 8}, rows_k);
    second.set_state(Axis::i, state);
    refused({.a = a, .b = second, .c = c}, "operands must be recombined first");
  }
}

TEST_F(MultiplyTest, BiasAndActivationBeforeTheSumAreRefused) {
  if (host_->size() == 1) GTEST_SKIP() << "needs two ranks: the contracted dimension has one part";
  const HeldMatrix a(context_, {6, 4}, {.rows = Axis::i, .cols = Axis::k});
  const HeldMatrix b(context_, {4, 8}, {.rows = Axis::k, .cols = Axis::j});
  HeldMatrix c(context_, {6, 8}, {.rows = Axis::i, .cols = Axis::j});
  EXPECT_FALSE(complete_after_multiply(context_.mesh(), a, Transpose::no));
  const HeldMatrix bias(context_, {1, 8}, {.cols = Axis::j});
  refused({.a = a, .b = b, .c = c, .bias = &bias}, "bias and activation come after the sum over k");
  refused({.a = a, .b = b, .c = c, .activation = Activation::relu}, "bias and activation come after the sum over k");
}

}  // namespace
}  // namespace recombine
