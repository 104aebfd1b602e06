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

  const TableSchema unnamed_;
  std::string path_ = ::testing::TempDir() + "predictions_test.csv";
  OutputFile file_{"predictions", path_};
};

/// Probabilities are those of the softmax, and of equal outputs the first one counts. Large outputs do not overflow.
TEST_F(PredictionsTest, ClassesHaveTheSoftmax) {
  const Table table = classes();
  Predictions predictions(file_, path_, {table, unnamed_, 3});
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
  Predictions predictions(file_, path_, {table, unnamed_, 2});
  predictions.add(std::array{0.1F, 1.0F / 3, -1.2345678e-30F, 16777216.0F});
  EXPECT_EQ(written(),
            "row,target0,target1,output0,output1\n"
            "0,1,-2,0.1,0.33333334\n"
            "1,0.1,3e-39,-1.2345678e-30,16777216\n");
}

TEST_F(PredictionsTest, ClassesAndTheTargetHaveTheirNames) {
  const Table table = classes();
  const TableSchema schema{
      .inputs = {{.name = "x"}}, .targets = {{.name = "kind, of \"it\""}}, .classes = {"a", "b,c", "d"}};
  const PredictedTable predicted{table, schema, 3};
  Predictions predictions(file_, path_, predicted);
  const std::array outputs{0.0F, 100.0F, 0.0F, 100.0F, 0.0F, 0.0F, 0.0F, 0.0F, 100.0F};
  predictions.add(outputs);
  const std::string text = written();
  EXPECT_EQ(text,
            "row,\"kind, of \"\"it\"\"\",class,probability,a,\"b,c\",d\n"
            "0,d,\"b,c\",1,3.8e-44,1,3.8e-44\n"
            "1,a,a,1,1,3.8e-44,3.8e-44\n"
            "2,\"b,c\",d,1,3.8e-44,3.8e-44,1\n");
  EXPECT_LE(std::ssize(text), Predictions::most_bytes(predicted));
}

TEST_F(PredictionsTest, WithoutAnswersThereIsNoColumnOfLabels) {
  const Table table = classes();
  const TableSchema schema{.inputs = {{.name = "x"}}, .targets = {{.name = "kind"}}, .classes = {"a", "b"}};
  Predictions predictions(file_, path_, {table, schema, 2, Answers::absent});
  predictions.add(std::array{0.0F, 0.0F});
  EXPECT_EQ(written(), "row,class,probability,a,b\n0,a,0.5,0.5,0.5\n");
}

TEST_F(PredictionsTest, ATargetNamedAsAnotherColumnIsTheLabel) {
  const Table table = classes();
  const TableSchema schema{.inputs = {{.name = "x"}}, .targets = {{.name = "class"}}, .classes = {"a", "b", "c"}};
  const Predictions predictions(file_, path_, {table, schema, 3});
  EXPECT_EQ(written(), "row,label,class,probability,a,b,c\n");
}

/// Targets were scaled in f32: 24 and 0 come back as such, not as 24.000002 and -1.2e-07.
TEST_F(PredictionsTest, TargetsAreInTheirOwnUnits) {
  const TargetColumn price{.name = "price", .mean = 22.532806, .deviation = 9.1971041};
  std::array<float, 6> targets{};
  const std::array<double, 3> values{24, 0, 5.3};
  for (std::size_t row = 0; row < 3; ++row) {
    targets[2 * row] = static_cast<float>((values[row] - price.mean) / price.deviation);
    targets[2 * row + 1] = 0.1F;
  }
  const Table table{.features = as_matrix(vector_view(kFeatures.data(), 3), 3, 1),
                    .targets = as_matrix(vector_view(targets.data(), 6), 3, 2)};
  const TableSchema schema{.inputs = {{.name = "x"}}, .targets = {price, {.name = "other"}}};
  Predictions predictions(file_, path_, {table, schema, 2});
  predictions.add(std::array{0.0F, 0.25F, 1.0F, -2.0F, -1.0F, 3.0F});
  EXPECT_EQ(written(),
            "row,price,other,predicted_price,predicted_other\n"
            "0,24,0.1,22.532806,0.25\n"
            "1,0,0.1,31.72991,-2\n"
            "2,5.3,0.1,13.335702,3\n");
}

/// f32 has too few digits for times in seconds.
TEST_F(PredictionsTest, TargetsWithAnOriginHaveTheirDigits) {
  const TargetColumn time{.name = "t", .mean = 1700000029.5, .deviation = 17.318, .origin = 1700000030};
  std::array<float, 2> targets{};
  for (std::size_t row = 0; row < 2; ++row) {
    targets[row] = static_cast<float>((1700000001.25 + 50.0 * static_cast<double>(row) - time.mean) / time.deviation);
  }
  const Table table{.features = as_matrix(vector_view(kFeatures.data(), 2), 2, 1),
                    .targets = as_matrix(vector_view(targets.data(), 2), 2, 1)};
  const TableSchema schema{.inputs = {{.name = "x"}}, .targets = {time}};
  Predictions predictions(file_, path_, {table, schema, 1});
  predictions.add(std::array{0.0F, 0.5F});
  EXPECT_EQ(written(), "row,t,predicted_t\n0,1700000001.25,1700000029.5\n1,1700000051.25,1700000038.159\n");
}

/// The table has rows 1, 2 and 4 of a file with 6 rows.
TEST_F(PredictionsTest, RowsHaveTheNumbersThatTheyHaveInTheirFile) {
  const Table table = classes();
  const std::vector<bool> rows_of_file{false, true, true, false, true, false};
  Predictions predictions(file_, path_, {table, unnamed_, 3, Answers::absent, &rows_of_file});
  const std::array<float, 3> outputs{0, 0, 100};
  predictions.add(outputs);
  EXPECT_THROW(predictions.add(std::array{0.0F, std::nanf(""), 0.0F}), InputError);
  predictions.add(outputs);
  predictions.add(outputs);
  EXPECT_EQ(written(),
            "row,class,probability,p0,p1,p2\n1,2,1,3.8e-44,3.8e-44,1\n2,2,1,3.8e-44,3.8e-44,1\n"
            "4,2,1,3.8e-44,3.8e-44,1\n");
}

TEST_F(PredictionsTest, AnOutputThatIsNotFiniteIsRefused) {
  const Table table = classes();
  Predictions predictions(file_, "p.csv", {table, unnamed_, 3});
  predictions.add(std::array{0.0F, 1.0F, 0.0F});
  const auto message = [&](float bad) -> std::string {
    try {
      predictions.add(std::array{0.0F, bad, 0.0F});
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
  const PredictedTable predicted{table, unnamed_, 3};
  Predictions predictions(file_, path_, predicted);
  for (int row = 0; row < 3; ++row) predictions.add(std::array{-1.23456789e-5F, -30.1234567F, -30.1234567F});
  EXPECT_LE(std::ssize(written()), Predictions::most_bytes(predicted));
}

}  // namespace
}  // namespace recombine
