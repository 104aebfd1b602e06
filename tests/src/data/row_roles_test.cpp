#include "src/data/row_roles.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

TEST(RowRoles, FractionsAndFiles) {
  EXPECT_EQ(fraction_of("test", "0.25"), 0.25);
  EXPECT_EQ(fraction_of("test", "1e-3"), 0.001);
  for (const char* file : {"", "v.csv", "0.1x", "./0.5", "-"}) EXPECT_FALSE(fraction_of("test", file)) << file;
  for (const char* bad : {"0", "1", "-0.1", "nan", "inf", "1e999", "20"}) {
    EXPECT_THROW(fraction_of("test", bad), InputError) << bad;
  }
}

TEST(RowRoles, TheTestIsTakenFirst) {
  std::vector<RowRole> roles(100, RowRole::train);
  roles[7] = RowRole::dropped;
  for (const Share& share : shares_of("0.2", "0.5")) split_rows(roles, share, 3);
  EXPECT_EQ(count_rows(roles), (RowCounts{39, 20, 40}));  // of 99 rows; halves are rounded away from 0
  EXPECT_EQ(roles[7], RowRole::dropped);
  std::vector<RowRole> other(100, RowRole::train);
  for (const Share& share : shares_of("0.2", "0.5")) split_rows(other, share, 4);
  EXPECT_NE(roles, other) << "the seed chooses the rows";
}

TEST(RowRoles, AtLeastOneRowOnEachSide) {
  for (const double share : {1e-9, 0.999999}) {
    std::vector<RowRole> roles(3, RowRole::train);
    split_rows(roles, {"test", "", share, RowRole::test}, 1);
    EXPECT_EQ(count_rows(roles), share < 0.5 ? (RowCounts{2, 1, 0}) : (RowCounts{1, 2, 0}));
  }
  std::vector<RowRole> one(1, RowRole::train);
  EXPECT_THROW(split_rows(one, {"test", "0.5", 0.5, RowRole::test}, 1), InputError);
}

TEST(RowRoles, RowsOfFile) {
  const std::vector<RowRole> roles = {RowRole::dropped, RowRole::test, RowRole::train, RowRole::test};
  EXPECT_EQ(rows_of_file(roles, RowRole::test), (std::vector<bool>{false, true, false, true}));
  EXPECT_EQ(rows_of_file(roles, RowRole::train), (std::vector<bool>{false, false, true, false}));
  const std::vector<RowRole> all(3, RowRole::train);
  EXPECT_TRUE(rows_of_file(all, RowRole::train).empty());
}

TEST(RowRoles, CountsBeforeEachChunk) {
  const auto t = RowRole::train;
  const std::vector<RowRole> roles = {t, RowRole::dropped, RowRole::test, RowRole::validation, t, t};
  const std::vector<TextChunk> chunks = {{.rows = 1}, {.first_row = 1, .rows = 3}, {.first_row = 4, .rows = 2}};
  EXPECT_EQ(counts_before(roles, chunks), (std::vector<RowCounts>{{0, 0, 0}, {1, 0, 0}, {1, 1, 1}}));
}

}  // namespace
}  // namespace recombine
