#include "src/matmul/explain/block_names.hpp"

#include <gtest/gtest.h>

#include "kernels/error.hpp"
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
  EXPECT_EQ(names.cuts(), "So that each block belongs to one rank, A is cut into 2 x 2 blocks here, and B into 2 x 2.");
  EXPECT_THROW(static_cast<void>(names.operand(Operand::b, first, {1, 2})), Error);  // it ends inside of B11
  EXPECT_EQ(names.bytes(Operand::a, first, {0, 2}), 2 * 2 * 4);
}

/// The blocks are those of the picture of the mesh 2x2x2, and of the section "One block at a time".
TEST(BlockNames, TheMeshCutsBlocksAndLettersArePartsOfThem) {
  const BlockNames names(Mesh(2, 2, 2), kFour);
  const Coord last{{1, 1, 1}};
  EXPECT_EQ(names.term({{0, 0, 0}}, {0, 2}), "A11 B11");
  EXPECT_EQ(names.term({{0, 0, 1}}, {2, 4}), "A12 B21");
  EXPECT_EQ(names.term(last, {3, 4}), "A22b B22b");
  EXPECT_EQ(names.operand(Operand::a, last, names.k_range(Operand::a, last)), "A22b");
  EXPECT_EQ(names.operand(Operand::b, {{0, 1, 1}}, names.k_range(Operand::b, {{0, 1, 1}})), "B22a");
  EXPECT_EQ(names.cuts(),
            "So A is cut into 2 x 2 blocks here, and B into 2 x 2. Letters are parts of a block along k: "
            "A11a is the first part of A11. It meets B11a, the first of B11.");
  for (const std::string text : {"A11a:0 A11b:2 A12a:1 A12b:3", "B21a:1 B22a:3", "B21b:5 B22b:7", "C21:4+5 C22:6+7"}) {
    EXPECT_NE(names.owners().find(text), std::string::npos) << names.owners();
  }
}

/// Only A is cut once more at rest, but B has the same parts, so that a part of A has a part of B to meet.
TEST(BlockNames, BothOperandsHaveTheSameParts) {
  const BlockNames names(Mesh(1, 2, 2), kFour);
  EXPECT_EQ(names.k_range(Operand::a, {{0, 1, 1}}), (Range{3, 4}));
  EXPECT_EQ(names.operand(Operand::a, {{0, 1, 1}}, {3, 4}), "A12b");
  EXPECT_EQ(names.operand(Operand::b, {{0, 1, 1}}, {2, 4}), "B22");
  EXPECT_EQ(names.operand(Operand::b, {{0, 1, 1}}, {3, 4}), "B22b");
  EXPECT_EQ(names.term({{0, 1, 1}}, {2, 4}), "A12 B22");
  EXPECT_EQ(names.term({{0, 1, 1}}, {2, 3}), "A12a B22a");
  EXPECT_NE(names.owners().find("B11:0 B12:2"), std::string::npos) << names.owners();
}

TEST(BlockNames, ARankMayHaveSeveralBlocks) {
  const BlockNames rows(Mesh(2, 1, 1), kFour);
  EXPECT_EQ(rows.term({{1, 0, 0}}, {0, 4}), "A21 B11 + A22 B21");
  EXPECT_NE(rows.owners().find("A11:0 A12:0    B11:0    C11:0\n"), std::string::npos) << rows.owners();
  const BlockNames both(Mesh(2, 3, 1), kFour);  // A is cut after 2 and 3 rows of k, B after 2
  EXPECT_EQ(both.operand(Operand::b, {{1, 0, 0}}, {2, 4}), "B21 B31");
  EXPECT_EQ(both.term({{0, 0, 0}}, {0, 4}), "A11 B11 + A12 B21 + A13 B31");
}

TEST(BlockNames, UnevenAndEmptyBlocks) {
  const BlockNames names(Mesh(3, 1, 1), {.m = 2, .n = 2, .k = 5, .type = DataType::f64});
  EXPECT_EQ(names.term({{1, 0, 0}}, {0, 5}), "A21 B11 + A22 B21 + A23 B31");
  EXPECT_EQ(names.term({{1, 0, 0}}, {2, 4}), "A22 B21");
  EXPECT_EQ(names.term({{1, 0, 0}}, {2, 2}), "0");
  EXPECT_TRUE(names.c_area({{2, 0, 0}}).empty());
  EXPECT_EQ(names.bytes(Operand::a, {{2, 0, 0}}, {0, 5}), 0);
  EXPECT_EQ(names.cuts(), "So that each block belongs to one rank, A is cut into 2 x 3 blocks here, and B into 3 x 1.");
  EXPECT_NE(names.owners().find("A21:1"), std::string::npos);
  EXPECT_EQ(names.owners().find("A31"), std::string::npos);  // it has no elements
  const BlockNames short_k(Mesh(1, 1, 3), {.m = 2, .n = 2, .k = 2});
  EXPECT_EQ(short_k.cuts(), "So A is cut into 1 x 2 blocks here, and B into 2 x 1.");
  EXPECT_NE(short_k.owners().find("A11:0 A12:1 -"), std::string::npos) << short_k.owners();
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
  const std::string sum = story_table({{{1, "", 0, "C11 += A11 B11 + A12 B21 + A13 B31"}}});
  EXPECT_NE(sum.find(" C11 += A11 B11 + A12 B21\n" + std::string(50, ' ') + "+ A13 B31\n"), std::string::npos) << sum;
  const std::string long_text = story_table({{{1, "A11 -> 1 2 3 4 5 6 7, B11 -> 2", 21.25, "x"}}});
  EXPECT_NE(long_text.find("A11 -> 1 2 3 4 5 6 7,       21.2  x\n                B11 -> 2\n"), std::string::npos)
      << long_text;
}

}  // namespace
}  // namespace recombine
