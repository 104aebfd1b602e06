#include "src/data/text/value_table.hpp"

#include <string>

#include <gtest/gtest.h>

namespace recombine {
namespace {

TEST(ValueTable, KeepsDifferentTextsInOrder) {
  ValueTable table;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5000; ++i) EXPECT_EQ(table.add("value " + std::to_string(i)), round == 0);
  }
  EXPECT_TRUE(table.add(""));
  EXPECT_FALSE(table.add(""));
  ASSERT_EQ(table.size(), 5001U);
  EXPECT_EQ(table[4999], "value 4999");
}

ValueList list_of(const std::string& letters, std::size_t limit) {
  ValueList list(limit);
  for (const char c : letters) list.add(std::string_view(&c, 1));
  return list;
}

/// Chunks that are added up give the same list as one chunk.
TEST(ValueList, AddsUpAsOneChunk) {
  for (const std::string letters : {"", "a", "aa", "abc", "abca", "abcdefa", "aabbcc", "abcabc", "abcdd", "abcddd"}) {
    for (std::size_t limit = 0; limit <= 5; ++limit) {
      const ValueList whole = list_of(letters, limit);
      for (std::size_t cut = 0; cut <= letters.size(); ++cut) {
        for (std::size_t second = cut; second <= letters.size(); ++second) {
          ValueList sum(limit);
          sum.add(list_of(letters.substr(0, cut), limit));
          sum.add(list_of(letters.substr(cut, second - cut), limit));
          sum.add(list_of(letters.substr(second), limit));
          ASSERT_EQ(sum.size(), whole.size()) << letters << " " << limit;
          EXPECT_EQ(sum.has_more(), whole.has_more()) << letters << " " << limit;
          EXPECT_EQ(sum.repeats(), whole.repeats()) << letters << " " << limit << " " << cut << " " << second;
          for (std::size_t i = 0; i < sum.size(); ++i) EXPECT_EQ(sum[i], whole[i]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace recombine
