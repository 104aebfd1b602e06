#include <random>

#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

/// A way to write the same table.
struct Writing {
  std::string separator = ",", line_end = "\n", missing = "", before = "";
  char decimal = '.';
  bool quotes = false, spaces = false, plus = false, ends_with_separator = false, header = true, blank_lines = false;
};

using Cells = std::vector<std::vector<std::string>>;

class TableDialectsTest : public DataTest {
 protected:
  /// Numbers with a fraction, some of them missing, a text with separators, true and false, and a class.
  static Cells made_up(int rows) {
    std::mt19937 random(7);
    Cells cells = {{"x", "net weight", "word", "on", "class"}};
    for (int r = 0; r < rows; ++r) {
      const auto number = [&] { return fmt::format("{:.3f}", (static_cast<double>(random() % 20000) - 10000) / 777); };
      static constexpr std::array kWords = {"red", "a, b", "c;d|e", "q \"r\""};
      cells.push_back({number(), random() % 9 == 0 ? "" : number(), kWords[random() % kWords.size()],
                       random() % 2 == 0 ? "true" : "False", random() % 2 == 0 ? "yes, so" : "not"});
    }
    return cells;
  }

  static std::string cell_text(std::string cell, const Writing& writing) {
    const bool number = cell.find_first_not_of("-.0123456789") == std::string::npos && !cell.empty();
    if (cell.empty()) return writing.missing;
    if (number && writing.plus && cell[0] != '-') cell = "+" + cell;
    if (number && writing.decimal == ',') cell.replace(cell.find('.'), 1, ",");
    const bool needs = cell.find_first_of(writing.separator + "\"") != std::string::npos;
    if (needs || writing.quotes) {
      std::string quoted = "\"";
      for (const char c : cell) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
      cell = quoted + "\"";
    }
    return writing.spaces ? " " + cell + " " : cell;
  }

  static std::string text_of(const Cells& cells, const Writing& writing) {
    std::string text = writing.before;
    for (std::size_t r = writing.header ? 0 : 1; r < cells.size(); ++r) {
      for (std::size_t c = 0; c < cells[r].size(); ++c) {
        text += (c > 0 ? writing.separator : "") + cell_text(cells[r][c], writing);
      }
      if (writing.ends_with_separator) text += writing.separator;
      text += writing.line_end;
      if (writing.blank_lines && r % 5 == 3) text += writing.line_end;
    }
    return text;
  }
};

TEST_F(TableDialectsTest, TheSameTableInAnyWritingGivesTheSameFloats) {
  const Cells cells = made_up(300);
  const DataOptions options{.data = write("plain.csv", text_of(cells, {})), .target = "5", .validation = "0.2"};
  const DataSet plain = load_data(options);
  EXPECT_EQ(plain.data.train.inputs, 1 + 1 + 4 + 1);
  EXPECT_EQ(plain.schema.classes, (std::vector<std::string>{"not", "yes, so"}));
  const std::vector<Writing> writings = {
      {.separator = ";"},
      {.separator = ";", .decimal = ','},
      {.separator = "\t", .line_end = "\r\n"},
      {.separator = "|", .missing = "NA", .quotes = true},
      {.line_end = "\r", .missing = "?"},
      {.before = "\xEF\xBB\xBF", .quotes = true},
      {.before = "# made by hand\n# twice\n\n", .blank_lines = true},
      {.missing = "null", .spaces = true, .plus = true},
      {.ends_with_separator = true},
      {.separator = ";", .missing = "-", .decimal = ',', .plus = true, .ends_with_separator = true, .header = false},
      {.header = false},
  };
  int number = 0;
  for (const Writing& writing : writings) {
    SCOPED_TRACE(++number);
    DataOptions other = options;
    other.data = write(fmt::format("t{}.csv", number), text_of(cells, writing));
    const DataSet set = load_data(other);
    EXPECT_EQ(features_of(set.data.train), features_of(plain.data.train));
    EXPECT_EQ(features_of(set.data.validation), features_of(plain.data.validation));
    EXPECT_EQ(set.data.train.labels, plain.data.train.labels);
    EXPECT_EQ(set.schema.classes, plain.schema.classes);
  }
}

/// Many rows are read in several parts by several threads.
TEST_F(TableDialectsTest, ALongTableIsTheSameAsItsRows) {
  std::string text = "i,word,y\n";
  for (int i = 0; i < 200000; ++i) text += fmt::format("{}.5,{},{}\n", i, i % 3 == 0 ? "\"x\ny\"" : "z", i % 7);
  const LoadedData data = load(
      {.data = write("long.csv", text), .target = "y", .standardize = Standardize::no, .answers = AnswerKind::classes});
  ASSERT_EQ(data.train.rows, 200000);
  const std::vector<float> x = features_of(data.train);
  for (std::size_t i = 0; i < 200000; ++i) {
    ASSERT_EQ(x[3 * i], static_cast<float>(i) + 0.5F);
    ASSERT_EQ(x[3 * i + 1], i % 3 == 0 ? 1 : 0);
    ASSERT_EQ(x[3 * i + 2], i % 3 == 0 ? 0 : 1);
    ASSERT_EQ(data.train.labels[i], static_cast<std::int32_t>(i % 7));
  }
}

}  // namespace
}  // namespace recombine
