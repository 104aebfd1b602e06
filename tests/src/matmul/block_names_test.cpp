#include "src/matmul/explain/block_names.hpp"

#include <gtest/gtest.h>

#include "src/matmul/explain/explained_meshes.hpp"
#include "src/matmul/explain/story_table.hpp"

namespace recombine {
namespace {

using Operand = BlockNames::Operand;
constexpr MatmulShape kFour{4, 4, 4};

TEST(BlockNames, SquareMeshHasTheBlocksOfTheTextbook) {
  const BlockNames names(Mesh(2, 2, 1), kFour);
  const Coord first{{0, 0, 0}}, last{{1, 1, 0}};
  EXPECT_EQ(names.term(first, {0, 4}), "A11 B11 + A12 B21");
  EXPECT_EQ(names.term(last, {2, 4}), "A22 B22");
  EXPECT_EQ(names.c(last), "C22");
  EXPECT_EQ(names.operand(Operand::a, last, {2, 4}), "A22");
  EXPECT_EQ(names.operand(Operand::b, first, {1, 2}), "B11[k 2]");
  EXPECT_EQ(names.bytes(Operand::a, first, {0, 2}), 2 * 2 * 4);
}

/// Blocks of k are numbered over all ranks along k.
TEST(BlockNames, PartsOfKContinueTheNumbers) {
  const BlockNames names(Mesh(1, 2, 2), kFour);
  EXPECT_EQ(names.k_range(Operand::a, {{0, 1, 1}}), (Range{3, 4}));
  EXPECT_EQ(names.operand(Operand::a, {{0, 1, 1}}, {3, 4}), "A14");
  EXPECT_EQ(names.operand(Operand::b, {{0, 1, 1}}, {2, 4}), "B22");
  EXPECT_EQ(names.term({{0, 1, 1}}, {2, 4}), "(A13 A14) B22");
}

TEST(BlockNames, UnevenAndEmptyBlocks) {
  const BlockNames names(Mesh(3, 1, 1), {.m = 2, .n = 2, .k = 5, .type = DataType::f64});
  EXPECT_EQ(names.term({{1, 0, 0}}, {0, 5}), "A21 (B11 B21 B31)");
  EXPECT_EQ(names.term({{1, 0, 0}}, {2, 4}), "A21[k 3-4] B21");
  EXPECT_EQ(names.term({{1, 0, 0}}, {2, 2}), "0");
  EXPECT_TRUE(names.c_area({{2, 0, 0}}).empty());
  EXPECT_EQ(names.bytes(Operand::a, {{2, 0, 0}}, {0, 5}), 0);
  EXPECT_NE(names.owners().find("A21:1"), std::string::npos);
  EXPECT_EQ(names.owners().find("A31"), std::string::npos);  // it has no elements
}

std::vector<std::string> meshes_for(int np, const MatmulCommand& command = {}) {
  std::vector<std::string> texts;
  for (const Mesh& mesh : explained_meshes(command, np, kFour)) texts.push_back(mesh.to_string());
  return texts;
}

TEST(ExplainedMeshes, BlocksOfCFirstThenSplitK) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(meshes_for(1), Texts{"1x1x1"});
  EXPECT_EQ(meshes_for(2), (Texts{"2x1x1", "1x1x2"}));
  EXPECT_EQ(meshes_for(4), (Texts{"2x2x1", "1x1x4"}));
  EXPECT_EQ(meshes_for(5), (Texts{"5x1x1", "1x1x5"}));
  EXPECT_EQ(meshes_for(6), (Texts{"3x2x1", "2x1x3"}));
  EXPECT_EQ(meshes_for(8), (Texts{"4x2x1", "2x1x4"}));
  EXPECT_EQ(meshes_for(6, {.schedule = Schedule::shift}), (Texts{"6x1x1", "2x1x3"}));
  EXPECT_EQ(meshes_for(4, {.mesh = Mesh(1, 4, 1)}), Texts{"1x4x1"});
}

TEST(StoryTable, RowsSurviveTheWayThroughText) {
  const std::vector<StoryRow> rows = {{1, "A11 -> 1, B11 -> 2", 32, "C11 = A11 B11"}, {StoryRow::kSum, "", 0.5, "x"}};
  const std::vector<StoryRow> again = rows_from(to_text(rows));
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].sends, rows[0].sends);
  EXPECT_EQ(again[0].bytes, 32);
  EXPECT_EQ(again[1].step, StoryRow::kSum);
  EXPECT_EQ(again[1].bytes, 0.5);
  EXPECT_EQ(again[1].computes, "x");
  EXPECT_TRUE(rows_from("").empty());
}

/// Steps in order, ranks in order; the step is named once; long texts continue below.
TEST(StoryTable, StepsOfAllRanks) {
  const std::string table = story_table({{{2, "", 0, "b"}, {1, "", 0, "a"}}, {{1, "s", 4, ""}}});
  EXPECT_EQ(table,
            "    step  rank  sends                      bytes  computes\n"
            "       1     0                                    a\n"
            "             1  s                              4\n"
            "       2     0                                    b\n");
  const std::string long_text = story_table({{{1, "A11 -> 1 2 3 4 5 6 7, B11 -> 2", 21.25, "x"}}});
  EXPECT_NE(long_text.find("A11 -> 1 2 3 4 5 6 7,       21.2  x\n                B11 -> 2\n"), std::string::npos)
      << long_text;
}

}  // namespace
}  // namespace recombine
