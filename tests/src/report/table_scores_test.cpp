#include "src/report/table_scores.hpp"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "src/report/answer_names.hpp"
#include "src/report/score_text.hpp"

namespace recombine {
namespace {

constexpr std::array<float, 8> kFeatures{};

Table table_of(const std::array<std::int32_t, 6>& labels) {
  return {.features = as_matrix(vector_view(kFeatures.data(), 6), 6, 1), .labels = vector_view(labels.data(), 6)};
}

/// Of 6 rows, 4 are hits. Class 2 has no row and is never predicted; class 3 is only predicted.
TEST(TableScores, ClassesAreCountedOneByOne) {
  constexpr std::array<std::int32_t, 6> kLabels{0, 0, 0, 1, 1, 1};
  constexpr std::array<int, 6> kPredicted{0, 0, 1, 1, 1, 3};
  const Table table = table_of(kLabels);
  TableScorer scorer(table, 4, {});
  for (std::size_t row = 0; row < 6; row += 2) {  // two rows at a time
    std::array<float, 8> outputs{};
    outputs[static_cast<std::size_t>(kPredicted[row])] = 1;
    outputs[4 + static_cast<std::size_t>(kPredicted[row + 1])] = 1;
    scorer.add(outputs);
  }
  const TableScores scores = scorer.finish();
  EXPECT_EQ(scores.rows, 6);
  EXPECT_DOUBLE_EQ(scores.accuracy(), 4.0 / 6);
  EXPECT_EQ(scores.confusion,
            (std::vector<std::vector<std::int64_t>>{{2, 1, 0, 0}, {0, 2, 0, 1}, {0, 0, 0, 0}, {0, 0, 0, 0}}));
  EXPECT_DOUBLE_EQ(*scores.classes[0].precision(), 1);
  EXPECT_DOUBLE_EQ(*scores.classes[0].recall(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(*scores.classes[1].precision(), 2.0 / 3);
  EXPECT_FALSE(scores.classes[2].precision());
  EXPECT_FALSE(scores.classes[2].recall());
  EXPECT_FALSE(scores.classes[3].recall());
  EXPECT_DOUBLE_EQ(scores.macro_precision(), (1 + 2.0 / 3 + 0) / 3);
  EXPECT_DOUBLE_EQ(scores.macro_recall(), (2.0 / 3 + 2.0 / 3 + 0) / 3);
}

TEST(TableScores, OfEqualOutputsTheFirstIsPredicted) {
  constexpr std::array<std::int32_t, 6> kLabels{0, 0, 0, 0, 0, 0};
  const Table table = table_of(kLabels);
  TableScorer scorer(table, 2, {});
  const std::array<float, 12> equal{};
  scorer.add(equal);
  EXPECT_DOUBLE_EQ(scorer.finish().accuracy(), 1);
}

TEST(TableScores, ErrorsOfTargetsAreInTheirOwnUnits) {
  constexpr std::array<float, 8> kTargets{0, 5, 1, 5, 2, 5, 3, 5};
  const Table table{.features = as_matrix(vector_view(kFeatures.data(), 4), 4, 1),
                    .targets = as_matrix(vector_view(kTargets.data(), 8), 4, 2)};
  TableScorer scorer(table, 2, {{.name = "a", .mean = 7, .deviation = 10}, {.name = "b", .deviation = 2}});
  scorer.add(std::array{0.5F, 5.0F, 1.5F, 6.0F});
  scorer.add(std::array{2.5F, 5.0F, 3.5F, 4.0F});
  const TableScores scores = scorer.finish();
  ASSERT_EQ(scores.targets.size(), 2U);
  EXPECT_DOUBLE_EQ(scores.targets[0].rms_error, 5);
  EXPECT_DOUBLE_EQ(*scores.targets[0].r2, 1 - 1.0 / 5);
  EXPECT_NEAR(scores.targets[1].rms_error, 2 * std::sqrt(0.5), 1e-12);
  EXPECT_FALSE(scores.targets[1].r2) << "all values of this target are equal";
  EXPECT_FALSE(scores.r2());
}

TEST(TableScores, TextsForTheScreen) {
  TableScores scores{.rows = 3, .classes = {{2, 1, 1}, {1, 2, 1}}, .confusion = {{1, 1}, {0, 1}}};
  EXPECT_EQ(score_text("test rows", scores, {"a\nb", "\xC3\xA4ther"}),
            "test rows:\n"
            "  class       rows  precision    recall\n"
            "  a?b            2     1.0000    0.5000\n"
            "  \xC3\xA4ther          1     0.5000    1.0000\n"
            "  mean                 0.7500    0.7500\n"
            "  rows of each class (down) by predicted class (across)\n"
            "            a?b  \xC3\xA4ther\n"
            "  a?b         1      1\n"
            "  \xC3\xA4ther       0      1\n");
  scores.classes.resize(21);
  EXPECT_EQ(score_text("test rows", scores, std::vector<std::string>(21, "x")),
            "test rows:\n  mean over 21 classes: precision 0.7500, recall 0.7500\n");
  const TableScores values{.rows = 3, .targets = {{.rms_error = 2.5, .r2 = 0.875}, {.rms_error = 12345.678}}};
  EXPECT_EQ(score_text("test rows", values, {"price", "y"}),
            "test rows:\n"
            "  target        R2  root mean squared error\n"
            "  price     0.8750                      2.5\n"
            "  y              -                  12345.7\n");
}

TEST(AnswerNames, UnitOfTheLoss) {
  EXPECT_DOUBLE_EQ(loss_unit({.targets = {{.name = "y", .deviation = 3}}}), 9);
  EXPECT_DOUBLE_EQ(loss_unit({.targets = {{.deviation = 3}, {.deviation = 3}}}), 1) << "several targets";
  EXPECT_DOUBLE_EQ(loss_unit({.targets = {{.name = "y", .deviation = 3}}, .classes = {"a", "b"}}), 1);
  EXPECT_DOUBLE_EQ(loss_unit({}), 1);
}

TEST(AnswerNames, CellsAreQuotedWhereNecessary) {
  EXPECT_EQ(csv_cell("plain text"), "plain text");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("a \"b\""), "\"a \"\"b\"\"\"");
  EXPECT_EQ(csv_cell("a\nb"), "\"a\nb\"");
  EXPECT_EQ(csv_cell(" a"), "\" a\"");
  EXPECT_EQ(csv_cell(""), "");
}

}  // namespace
}  // namespace recombine
