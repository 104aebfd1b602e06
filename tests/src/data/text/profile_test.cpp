#include "src/data/text/profile.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "tests/src/data/text/text_fixture.hpp"
#include "tests/support/described_table.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kOneChunk = std::numeric_limits<std::int64_t>::max() / 2;

class ProfileTest : public TextTest {
 protected:
  TableProfile profile(const std::string& bytes, std::int64_t chunk_bytes = kOneChunk) {
    const TextFile file = text(bytes);
    dialect_ = find_dialect(file, {});
    return profile_table(file, dialect_, chunk_bytes);
  }
  /// Profile and rows of the table in chunks of any size are those in one chunk.
  void expect_same_in_all_chunks(const std::string& bytes, std::int64_t most = 40) {
    const TextFile file = text(bytes);
    const Dialect dialect = find_dialect(file, {});
    for (std::int64_t size = most; size >= 0; --size) {
      Dialect found = dialect;
      const TableProfile table = profile_table(file, found, size == 0 ? kOneChunk : size);
      const std::string all = described(table) + rows_of(file, found, table);
      if (size == most) expected_ = all;
      ASSERT_EQ(all, expected_) << size;
    }
  }

  Dialect dialect_;
  std::string expected_;
};

TEST_F(ProfileTest, CountsKinds) {
  const TableProfile table =
      profile("id,x,flag,day,name,y\n1,0.5,yes,2021-03-04,ann,3\n2,NA,no,2021-03-05,bob,7\n3,-2e1,,12:30,ann,x\n");
  ASSERT_EQ(table.columns.size(), 6U);
  EXPECT_EQ(table.rows, 3);
  const auto& [id, x, flag, day, name, y] = std::tie(table.columns[0], table.columns[1], table.columns[2],
                                                     table.columns[3], table.columns[4], table.columns[5]);
  EXPECT_TRUE(id.whole && id.counts_rows && !id.repeats);
  EXPECT_EQ(id.least, 1);
  EXPECT_EQ(id.most, 3);
  EXPECT_EQ(x.numbers, 2);
  EXPECT_EQ(x.missing, 1);
  EXPECT_EQ(x.first_missing, 3);
  EXPECT_FALSE(x.whole || x.counts_rows);
  EXPECT_EQ(x.least, -20);
  EXPECT_EQ(flag.yes_no, 2);
  EXPECT_EQ(flag.missing, 1);
  EXPECT_EQ(day.dates, 3);
  EXPECT_EQ(day.first_text_value, "2021-03-04");
  EXPECT_EQ(name.texts, 3);
  EXPECT_EQ(name.values, (std::set<std::string>{"ann", "bob"}));
  EXPECT_TRUE(name.repeats);
  EXPECT_EQ(y.texts, 1);
  EXPECT_EQ(y.first_text, 4);
  EXPECT_EQ(y.first_text_value, "x");
  EXPECT_EQ(y.values, (std::set<std::string>{"3", "7", "x"}));
}

TEST_F(ProfileTest, ListsLimitedValues) {
  std::string bytes = "n,t\n";
  for (int i = 0; i < 2500; ++i) bytes += fmt::format("{},t{}\n", i * 3, i);
  for (const std::int64_t chunk : {kOneChunk, std::int64_t{100}, std::int64_t{5000}}) {
    const TableProfile table = profile(bytes, chunk);
    EXPECT_EQ(table.columns[0].values.size(), ColumnProfile::kMostNumbers);
    EXPECT_TRUE(table.columns[0].has_more_values);
    EXPECT_TRUE(table.columns[0].values.contains("2997")) << "the first ones of the file";
    EXPECT_EQ(table.columns[1].values.size(), 2500U);
    EXPECT_FALSE(table.columns[1].has_more_values || table.columns[1].repeats);
  }
}

/// Chunk borders at every byte: in numbers, quotes, doubled quotes, CR LF, and blank lines.
TEST_F(ProfileTest, ChunksMayBeginAnywhere) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const auto lines = [&](std::initializer_list<std::string> parts) {
      std::string bytes;
      for (const std::string& part : parts) bytes += part + end;
      return bytes;
    };
    expect_same_in_all_chunks(lines({"a,b,y", "1,2,3", "2,,x", "", "3,NA,yes", " ", "4,-5.5,x"}));
    expect_same_in_all_chunks(lines({"a,b,y", "1,\"x" + end + "1,2,3" + end + "y\",3", "2,\"p\"\"" + end + "\"\"q\",4",
                                     "3,\"" + end + end + "\",5", "4,\"\",6", "5,\"a,\"\"b\"\",c\",6"}));
    expect_same_in_all_chunks(lines({"\"net" + end + "weight\",b", "1,2", "2,3"}) + "3,4");
  }
}

/// Rows inside quotes look like rows of the table: every guess of a chunk's beginning is wrong.
TEST_F(ProfileTest, QuotedRowsAreNoRows) {
  std::string bytes = "a,b\n";
  for (int i = 0; i < 20; ++i) bytes += fmt::format("{},\"1,2\n3,4\n5,6\n\"\n", i);
  expect_same_in_all_chunks(bytes, 60);
  EXPECT_EQ(profile(bytes, 7).rows, 20);
}

TEST_F(ProfileTest, NamesTheFirstErrorInAnyChunks) {
  std::string bytes = "a,b\n";
  for (int i = 0; i < 50; ++i) bytes += i == 20 || i == 40 ? "1,2,3\n" : "1,\"x\ny\"\n";
  for (const std::int64_t size : {std::int64_t{1}, std::int64_t{5}, std::int64_t{17}, std::int64_t{64}, kOneChunk}) {
    expect_input_error({"table.csv, line 42: has 3 values for 2 columns"}, [&] { profile(bytes, size); });
  }
}

TEST_F(ProfileTest, TextThatIsNotUtf8IsLatin1) {
  std::string bytes = "name,y\n";
  for (int i = 0; i < 2000; ++i) bytes += "x,1\n";
  bytes +=
      "gr\xFC"
      "n,2\n";
  for (const std::int64_t size : {std::int64_t{500}, kOneChunk}) {
    const TableProfile table = profile(bytes, size);
    EXPECT_EQ(dialect_.encoding, Encoding::latin1);
    EXPECT_EQ(table.columns[0].values, (std::set<std::string>{"gr\xC3\xBC"
                                                              "n",
                                                              "x"}));
    ASSERT_EQ(dialect_.notes.size(), 1U);
    EXPECT_NE(dialect_.notes[0].find("not UTF-8"), std::string::npos);
  }
  EXPECT_EQ(profile("name,y\ngr\xC3\xBC"
                    "n,2\n")
                .columns[0]
                .first_text_value,
            "gr\xC3\xBC"
            "n");
  EXPECT_EQ(dialect_.encoding, Encoding::utf8);
}

TEST_F(ProfileTest, FindsBadTextBeyondTheSample) {
  std::string bytes = "name,y\n";
  while (bytes.size() < (std::size_t{2} << 20)) bytes += "a name that repeats,1\n";
  const auto lines = std::ranges::count(bytes, '\n');
  profile(bytes +
              "gr\xFC"
              "n,2\n",
          1 << 18);
  EXPECT_EQ(dialect_.encoding, Encoding::latin1);
  EXPECT_NE(dialect_.notes.at(0).find(fmt::format("line {} is not UTF-8", lines + 1)), std::string::npos)
      << dialect_.notes[0];
}

TEST_F(ProfileTest, RefusesDecimalCommasBetweenCommas) {
  for (const std::int64_t size : {std::int64_t{4}, kOneChunk}) {
    expect_input_error({"table.csv, line 3, column b", "'2,5'", "decimal commas"},
                       [&] { profile("a,b\n1,2\n3,\"2,5\"\n4,\"7,5\"\n", size); });
  }
  EXPECT_EQ(profile("a,b\n1,\"2,5\"\n3,x\n").columns[1].texts, 2) << "texts";
}

TEST_F(ProfileTest, ReadsWideTables) {
  static constexpr int kColumns = 120000;
  std::string header, row;
  for (int c = 0; c < kColumns; ++c) {
    header += fmt::format("{}c{}", c > 0 ? "," : "", c);
    row += fmt::format("{}{}", c > 0 ? "," : "", c);
  }
  const TableProfile table = profile(header + "\n" + row + "\n" + row + "\n", 1 << 20);
  EXPECT_EQ(table.columns.size(), 120000U);
  EXPECT_EQ(table.rows, 2);
  EXPECT_EQ(table.columns[777].least, 777);
  write(header + ",c7\n" + row + ",1\n");
  expect_input_error({"line 1", "'c7'", "twice"},
                     [&] { find_dialect(TextFile(path("table.csv"), DataBudget({})), {}); });
}

}  // namespace
}  // namespace recombine
