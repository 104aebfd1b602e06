#include "src/report/predictions.hpp"

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <numbers>
#include <sstream>

#include <gtest/gtest.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

constexpr std::array<float, 3> kFeatures{};

class PredictionsTest : public ::testing::Test {
 protected:
  static constexpr std::array<std::int32_t, 3> kLabels{2, 0, 1};
  static Table classes() {
    return {.features = as_matrix(vector_view(kFeatures.data(), 3), 3, 1), .labels = vector_view(kLabels.data(), 3)};
  }

  std::string written() {
    file_.commit();
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  std::string path_ = ::testing::TempDir() + "predictions_test.csv";
  OutputFile file_{"predictions", path_};
};

/// Probabilities are those of the softmax, and of equal outputs the first one counts. Large outputs do not overflow.
TEST_F(PredictionsTest, ClassesHaveTheSoftmax) {
  const Table table = classes();
  Predictions predictions(file_, path_, table, 3);
  const float third = -std::numbers::ln2_v<float>;
  predictions.add(std::array{0.0F, third, third});
  predictions.add(std::array{-3e38F, 3e38F, 3e38F, -100.0F, -200.0F, -1000.0F});
  EXPECT_EQ(written(),
            "row,label,class,probability,p0,p1,p2\n"
            "0,2,0,0.5,0.5,0.25,0.25\n"
            "1,0,1,0.5,0,0.5,0.5\n"
            "2,1,0,1,1,3.8e-44,0\n");
}

TEST_F(PredictionsTest, ValuesReadBackAsTheSameNumbers) {
  constexpr std::array<float, 4> kTargets{1, -2, 0.1F, 3e-39F};
  const Table table{.features = as_matrix(vector_view(kFeatures.data(), 2), 2, 1),
                    .targets = as_matrix(vector_view(kTargets.data(), 4), 2, 2)};
  Predictions predictions(file_, path_, table, 2);
  predictions.add(std::array{0.1F, 1.0F / 3, -1.2345678e-30F, 16777216.0F});
  EXPECT_EQ(written(),
            "row,target0,target1,output0,output1\n"
            "0,1,-2,0.1,0.33333334\n"
            "1,0.1,3e-39,-1.2345678e-30,16777216\n");
}

TEST_F(PredictionsTest, AnOutputThatIsNotFiniteIsRefused) {
  const Table table = classes();
  Predictions predictions(file_, "p.csv", table, 2);
  predictions.add(std::array{0.0F, 1.0F});
  const auto message = [&](float bad) -> std::string {
    try {
      predictions.add(std::array{0.0F, bad});
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(std::nanf("")), "--predictions p.csv: output 1 of row 1 is NaN; expected finite outputs");
  EXPECT_EQ(message(-std::numeric_limits<float>::infinity()),
            "--predictions p.csv: output 1 of row 1 is infinite; expected finite outputs");
}

TEST_F(PredictionsTest, NoFileIsLargerThanMostBytes) {
  const Table table = classes();
  Predictions predictions(file_, path_, table, 2);
  for (int row = 0; row < 3; ++row) predictions.add(std::array{-1.23456789e-5F, -30.1234567F});
  EXPECT_LE(std::ssize(written()), Predictions::most_bytes(table, 2));
}

}  // namespace
}  // namespace recombine
