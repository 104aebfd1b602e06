#include "src/data/text/row_reader.hpp"

#include "tests/src/data/text/text_fixture.hpp"

namespace recombine {
namespace {

using Row = std::vector<std::string>;
struct Line {
  std::int64_t number;
  Row cells;
  bool operator==(const Line&) const = default;
};

class RowReaderTest : public TextTest {
 protected:
  /// The rows of a table of `columns` columns without a header.
  std::vector<Line> rows(const std::string& bytes, std::size_t columns) const {
    const TextFile file = text(bytes);
    Dialect dialect;
    dialect.names.resize(columns);
    RowReader reader(file, dialect, {.end = file.bytes()});
    std::vector<Line> all;
    for (std::vector<std::string_view> cells; reader.next(cells);)
      all.push_back({reader.line(), {cells.begin(), cells.end()}});
    return all;
  }
};

TEST_F(RowReaderTest, SplitsCells) {
  EXPECT_EQ(rows("a,b\n c , d\t\n,\n", 2), (std::vector<Line>{{1, {"a", "b"}}, {2, {"c", "d"}}, {3, {"", ""}}}));
  EXPECT_EQ(rows("last,row", 2), (std::vector<Line>{{1, {"last", "row"}}}));
  EXPECT_TRUE(rows("\n \n\t\n", 1).empty());
}

TEST_F(RowReaderTest, ReadsQuotes) {
  EXPECT_EQ(rows("\"a,b\",\"say \"\"x\"\"\"\n \"c\" ,\" d \"\n\"\",\"\"\"\"\n", 2),
            (std::vector<Line>{{1, {"a,b", "say \"x\""}}, {2, {"c", "d"}}, {3, {"", "\""}}}));
  EXPECT_EQ(rows("5\" pipe,\"ab\"c\"d\"\n", 2), (std::vector<Line>{{1, {"5\" pipe", "abc\"d\""}}}));
  EXPECT_EQ(rows("\"\"\n\"x\"\n", 1), (std::vector<Line>{{1, {""}}, {2, {"x"}}})) << "an empty quoted cell is a row";
  EXPECT_EQ(rows("\"a\"", 1), (std::vector<Line>{{1, {"a"}}}));
}

TEST_F(RowReaderTest, CountsLinesOfAllKinds) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const std::string quoted = "\"x" + end + "y\"";
    EXPECT_EQ(rows("1,2" + end + end + quoted + ",3" + end + " " + end + "4,5" + end, 2),
              (std::vector<Line>{{1, {"1", "2"}}, {3, {"x" + end + "y", "3"}}, {6, {"4", "5"}}}));
  }
  EXPECT_EQ(rows("1\r\n2\r3\n\r4", 1), (std::vector<Line>{{1, {"1"}}, {2, {"2"}}, {3, {"3"}}, {5, {"4"}}}));
}

TEST_F(RowReaderTest, RowsMayBeLongerThanTheBuffer) {
  const std::string long_text(700000, 'x'),
      quoted = "\"" + std::string(400000, 'q') + "\"\"\n" + std::string(300000, 'r') + "\"";
  const std::vector<Line> read = rows("1," + long_text + "\n" + quoted + ",2\n3,4\n", 2);
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].cells[1], long_text);
  EXPECT_EQ(read[1].cells[0], std::string(400000, 'q') + "\"\n" + std::string(300000, 'r'));
  EXPECT_EQ(read[2], (Line{4, {"3", "4"}}));
}

/// A line end, a quote or a separator at every place around the end of the first piece that is read.
TEST_F(RowReaderTest, PiecesMayEndAnywhere) {
  static constexpr std::size_t kPiece = 4096;
  const std::string tail = "\"a\"\"b\r\nc\" ,2\r\n3,4\r5,\"6\"\r\n";
  for (std::size_t back = 0; back <= tail.size() + 1; ++back) {
    const std::string first(kPiece - back - 3, '7');
    EXPECT_EQ(rows(first + ",1\n" + tail, 2),
              (std::vector<Line>{{1, {first, "1"}}, {2, {"a\"b\r\nc", "2"}}, {4, {"3", "4"}}, {5, {"5", "6"}}}))
        << back;
  }
}

TEST_F(RowReaderTest, RefusesRaggedRows) {
  expect_input_error({"table.csv, line 2: has 4 values for 3 columns; expected one value for each"},
                     [&] { rows("1,2,3\n1,2,3,4\n", 3); });
  expect_input_error({"line 3: has 1 value for 2 columns"}, [&] { rows("1,2\n\n1\n", 2); });
  expect_input_error({"has 4 values for 2 columns", "decimal commas"}, [&] { rows("1,5,2,5\n", 2); });
  expect_input_error({"line 2: has 3 values for 2 columns", "quote that opens in line 2 closes in line 4"},
                     [&] { rows("1,2\n1,\"x\n2,y\nz\",3\n", 2); });
}

TEST_F(RowReaderTest, RefusesOpenQuotes) {
  expect_input_error({"line 2: the quote that opens here is never closed"}, [&] { rows("1,2\n1,\"x\n2,y\n", 2); });
  expect_input_error({"line 2: the quote that opens here", "closes in line 4"},
                     [&] { rows("1,2\n1,\"x\n2,y\n3,\"z\n", 2); });
  std::string bytes = "1,2\n3,\"x";
  for (int i = 0; i < 300; ++i) bytes += std::string(250000, 'x') + "\n";
  expect_input_error({"line 2: is longer than 64 MiB", "a quote that opens in line 2"}, [&] { rows(bytes, 2); });
}

TEST_F(RowReaderTest, RefusesZeroBytes) {
  expect_input_error({"table.csv, line 2: holds a zero byte"}, [&] { rows(std::string("1,2\n3,\0\n", 8), 2); });
  expect_input_error({"table.csv, line 3: holds a zero byte"}, [&] { rows(std::string("1,2\n3,\"x\n\0\"\n", 12), 2); });
}

TEST_F(RowReaderTest, ReadsChunksInParallel) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += fmt::format("{},{}\n", i, i % 7);
  const TextFile file = text(bytes);
  Dialect dialect;
  dialect.names.resize(2);
  std::vector<TextChunk> chunks;
  for (std::int64_t begin = 0, row = 0; begin < file.bytes(); ++row) {
    const auto end = static_cast<std::int64_t>(bytes.find('\n', static_cast<std::size_t>(begin)) + 1);
    chunks.push_back({begin, end, row, 1, row + 1});
    begin = end;
  }
  std::vector<std::string> found(chunks.size());
  for_each_chunk(file, dialect, chunks, [&](std::size_t chunk, RowReader& reader) {
    std::vector<std::string_view> cells;
    EXPECT_TRUE(reader.next(cells));
    found[chunk] = cells[0];
    EXPECT_EQ(reader.line(), static_cast<std::int64_t>(chunk) + 1);
    EXPECT_FALSE(reader.next(cells));
  });
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], std::to_string(i));
  for (int round = 0; round < 50; ++round) {
    expect_input_error({"chunk 3 "}, [&] {
      for_each_chunk(file, dialect, chunks, [&](std::size_t chunk, RowReader& /*rows*/) {
        if (chunk >= 3) throw InputError(fmt::format("chunk {} is wrong", chunk));
      });
    });
  }
}

}  // namespace
}  // namespace recombine
