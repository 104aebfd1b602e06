#include "src/data/text/text_file.hpp"

#include "tests/src/data/text/text_fixture.hpp"

namespace recombine {
namespace {

class TextFileTest : public TextTest {
 protected:
  static std::string utf16(std::string_view ascii, bool big) {
    std::string bytes;
    for (const char c : ascii) bytes += big ? std::string{'\0', c} : std::string{c, '\0'};
    return bytes;
  }
};

TEST_F(TextFileTest, ReadsAtAnyPlace) {
  const TextFile file = text("a,b\n1,2\n");
  EXPECT_EQ(content(file), "a,b\n1,2\n");
  EXPECT_TRUE(file.notes().empty());
  std::string part(4, '?');
  EXPECT_EQ(file.read(6, part), 2U);
  EXPECT_EQ(part, "2\n??");
  EXPECT_EQ(file.read(100, part), 0U);
}

TEST_F(TextFileTest, RefusesWhatCannotBeRead) {
  expect_input_error({"nowhere.csv", "cannot be opened"}, [&] { TextFile(path("nowhere.csv"), DataBudget({})); });
  expect_input_error({"table.csv", "is empty"}, [&] { text(""); });
  expect_input_error({"is a folder", "expected a regular file"}, [&] { TextFile(folder_.string(), DataBudget({})); });
}

TEST_F(TextFileTest, Utf16BecomesUtf8) {
  const std::string table = "name;y\nx;1\ny;2\n";
  for (const bool big : {false, true}) {
    for (const std::string mark : {big ? "\xFE\xFF" : "\xFF\xFE", ""}) {
      const TextFile file = text(mark + utf16(table, big), "wide.csv");
      EXPECT_EQ(content(file), table) << big << mark.size();
      ASSERT_EQ(file.notes().size(), 1U);
      EXPECT_NE(file.notes()[0].find("wide.csv: is UTF-16"), std::string::npos) << file.notes()[0];
    }
  }
}

TEST_F(TextFileTest, AFewZeroBytesAreNotUtf16) {
  const std::string bytes("a,b\n1,\0\n2,3\n4,5\n", 16);
  EXPECT_EQ(content(text(bytes)), bytes);  // refused as rows are read
}

TEST_F(TextFileTest, StandardInputIsCopied) {
  const std::string table = "a,y\n" + std::string(300000, '7') + ",1\n";
  write(table);
  std::FILE* const input = std::freopen(path("table.csv").c_str(), "rb", stdin);
  ASSERT_NE(input, nullptr);
  const TextFile file("-", DataBudget({}));
  EXPECT_EQ(file.name(), "standard input");
  EXPECT_EQ(content(file), table);
}

TEST_F(TextFileTest, TemporaryTextNeedsAFolder) {
  const char* const old = std::getenv("TMPDIR");
  const std::string kept = old != nullptr ? old : "";
  setenv("TMPDIR", path("missing").c_str(), 1);
  expect_input_error({"wide.csv", "missing", "TMPDIR"}, [&] { text("\xFF\xFE" + utf16("a,b\n", false), "wide.csv"); });
  old != nullptr ? setenv("TMPDIR", kept.c_str(), 1) : unsetenv("TMPDIR");
}

}  // namespace
}  // namespace recombine
