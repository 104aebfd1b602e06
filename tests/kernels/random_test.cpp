#include "kernels/random.hpp"

#include "tests/support/math_test.hpp"

namespace recombine {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST(Philox, GivesTheKnownAnswersOfRandom123) {  // the library of the paper's authors
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(Philox, UniformIsExactAtItsEnds) {
  EXPECT_EQ(signed_unit(0), -1.0F);
  EXPECT_EQ(signed_unit(0x80000000), 0.0F);
  EXPECT_EQ(signed_unit(0xffffffff), 1.0F - 1.0F / (1 << 23));
}

class FillTest : public test::MathTest {};

TEST_F(FillTest, ABlockHasTheValuesOfItsPlaceInTheMatrix) {
  struct Block {
    std::int64_t first_row, first_col, rows, cols, ld;
  };
  for (const std::int64_t global_cols : {13, 24}) {  // groups of four that cross rows, and groups that do not
    const RandomFill random{.seed = 3, .tensor = 2, .global_cols = global_cols, .half_width = 0.5F};
    std::vector<float> whole(static_cast<std::size_t>(11 * global_cols));
    math_.fill(*stream_, test::matrix_of(whole, 11, global_cols), random);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      ASSERT_EQ(whole[i], 0.5F * signed_unit(random_words(3, 2, i / 4)[i % 4])) << i;
    }
    for (const Block& b :
         {Block{6, 7, 4, 5, 5}, {6, 8, 4, 5, 8}, {6, 8, 3, 4, 4}, {1, 0, 10, global_cols, global_cols}}) {
      std::vector<float> block(static_cast<std::size_t>(b.rows * b.ld), 9);
      RandomFill part = random;
      part.first_row = b.first_row;
      part.first_col = b.first_col;
      math_.fill(*stream_, test::matrix_of(block, b.rows, b.ld).block(0, 0, b.rows, b.cols), part);
      for (std::int64_t i = 0; i < b.rows; ++i) {
        for (std::int64_t j = 0; j < b.ld; ++j) {
          const std::int64_t at = (i + b.first_row) * global_cols + j + b.first_col;
          const float expected = j < b.cols ? whole[static_cast<std::size_t>(at)] : 9;
          ASSERT_EQ(block[static_cast<std::size_t>(i * b.ld + j)], expected) << global_cols << ": " << i << " " << j;
        }
      }
    }
  }
}

TEST_F(FillTest, ATransposedBlockHasTheSameValues) {
  for (const auto& [rows, cols] : {std::pair{1, 1}, std::pair{5, 130}, std::pair{130, 5}, std::pair{300, 301}}) {
    RandomFill random{.seed = 3, .tensor = 2, .first_row = 6, .first_col = 7, .global_cols = 1000, .half_width = 0.5F};
    std::vector<float> block(static_cast<std::size_t>(rows * cols));
    math_.fill(*stream_, test::matrix_of(block, rows, cols), random);
    random.transpose = Transpose::yes;
    const std::int64_t ld = rows + 3;
    std::vector<float> turned(static_cast<std::size_t>(cols * ld), 9);
    math_.fill(*stream_, test::matrix_of(turned, cols, ld).block(0, 0, cols, rows), random);
    for (std::int64_t j = 0; j < cols; ++j) {
      for (std::int64_t i = 0; i < ld; ++i) {
        const float expected = i < rows ? block[static_cast<std::size_t>(i * cols + j)] : 9;
        ASSERT_EQ(turned[static_cast<std::size_t>(j * ld + i)], expected) << i << " " << j;
      }
    }
  }
}

TEST_F(FillTest, EveryTypeHasTheValuesOfF32) {
  for (const Transpose transpose : {Transpose::no, Transpose::yes}) {
    const RandomFill random{.seed = 3, .global_cols = 200, .half_width = 0.3F, .transpose = transpose};
    std::vector<float> x(100 * 130);
    std::vector<double> wide(x.size());
    std::vector<BFloat16> narrow(x.size());
    std::vector<BFloat16> rounded(x.size());
    math_.fill(*stream_, test::matrix_of(x, 100, 130), random);
    math_.fill(*stream_, test::matrix_of(wide, 100, 130), random);
    math_.fill(*stream_, test::matrix_of(narrow, 100, 130), random);
    math_.cast(*stream_, test::matrix_of(x, 100, 130), test::matrix_of(rounded, 100, 130));
    EXPECT_TRUE(std::equal(x.begin(), x.end(), wide.begin()));
    EXPECT_TRUE(narrow == rounded);
  }
}

TEST_F(FillTest, ValuesAreUniformAndDifferByTensorAndSeed) {
  const auto filled = [&](std::uint64_t seed, std::uint64_t tensor) {
    std::vector<float> x(40000);
    math_.fill(*stream_, test::matrix_of(x, 1, 40000),
               {.seed = seed, .tensor = tensor, .global_cols = 40000, .half_width = 2});
    return x;
  };
  const auto x = filled(1, 0);
  double mean = 0;
  double square = 0;
  for (const float v : x) {
    EXPECT_LE(std::abs(v), 2);
    mean += v / 40000.0;
    square += v * v / 40000.0;
  }
  EXPECT_NEAR(mean, 0, 0.03);
  EXPECT_NEAR(square, 4.0 / 3, 0.03);
  EXPECT_NE(x, filled(2, 0));
  EXPECT_NE(x, filled(1, 1));
  EXPECT_EQ(x, filled(1, 0));
}

}  // namespace
}  // namespace recombine
