#include "src/data/text/dialect.hpp"

#include <algorithm>

#include "src/data/text/row_reader.hpp"
#include "tests/src/data/text/text_fixture.hpp"

namespace recombine {
namespace {

using Names = std::vector<std::string>;

class DialectTest : public TextTest {
 protected:
  Dialect dialect(const std::string& bytes, const TextOptions& options = {}) const {
    return find_dialect(text(bytes), options);
  }
  /// All cells of the table, row by row.
  std::vector<Names> rows(const std::string& bytes, const TextOptions& options = {}) const {
    const TextFile file = text(bytes);
    const Dialect found = find_dialect(file, options);
    RowReader reader(file, found, {.begin = found.first_byte, .end = file.bytes(), .first_line = found.first_line});
    std::vector<Names> all;
    for (std::vector<std::string_view> cells; reader.next(cells);) all.emplace_back(cells.begin(), cells.end());
    return all;
  }
  void expect_note(const Dialect& found, const std::string& part) const {
    const auto has = [&](const std::string& note) { return note.find(part) != std::string::npos; };
    EXPECT_TRUE(std::ranges::any_of(found.notes, has)) << "no note has " << part;
  }
};

TEST_F(DialectTest, FindsTheSeparator) {
  for (const char separator : {',', ';', '\t', '|'}) {
    std::string bytes = "a,b,y\n1,x y,2\n3,\"p,q;r|s\t\",4\n5,z,6\n";
    std::ranges::replace(bytes, ',', separator);
    const Dialect found = dialect(bytes);
    EXPECT_EQ(found.separator, separator);
    EXPECT_EQ(found.names, (Names{"a", "b", "y"}));
    EXPECT_EQ(found.notes.empty(), separator == ',');
  }
  expect_note(dialect("a;b\n1;2\n"), "table.csv: ';' separates the columns");
  EXPECT_EQ(dialect("name,about,y\nx,a;b,1\ny,c;d,2\nz,e;f,3\n").separator, ',');
  EXPECT_EQ(dialect("1,5;2,5;3,5\n2,5;1,5;0,5\n").separator, ';') << "decimal commas without a header";
  EXPECT_EQ(dialect("genre,y\nAction|Comedy,1\nDrama,0\nA|B|C,1\n").separator, ',');
}

TEST_F(DialectTest, TakesTheGivenSeparator) {
  EXPECT_EQ(dialect("a;b,c\n1;2,3\n", {.separator = ';'}).names, (Names{"a", "b,c"}));
  EXPECT_EQ(dialect("a:b\n1:2\n", {.separator = ':'}).names, (Names{"a", "b"}));
  for (const char separator : {'"', '\n', 'a', '7', '.', '-'}) {
    expect_input_error({"--separator"}, [&] { dialect("a,b\n1,2\n", {.separator = separator}); });
  }
}

TEST_F(DialectTest, AFirstLineMayNameTheSeparator) {
  for (const char separator : {';', ',', '\t', '|', ':'}) {
    std::string bytes = "a,y\n1,x\n2,z\n";
    std::ranges::replace(bytes, ',', separator);
    for (const char* form : {"sep={}\n", "\"sep={}\"\r\n", "\xEF\xBB\xBFSEP={}\r"}) {
      const std::string named = fmt::format(fmt::runtime(form), separator) + bytes;
      EXPECT_EQ(dialect(named).separator, separator) << named;
      EXPECT_EQ(dialect(named).names, (Names{"a", "y"})) << named;
      EXPECT_EQ(dialect(named).first_line, 3) << named;
      EXPECT_EQ(rows(named), (std::vector<Names>{{"1", "x"}, {"2", "z"}})) << named;
    }
  }
  EXPECT_EQ(dialect("sep=\\t\na,b\ty\n1\t2\n").names, (Names{"a,b", "y"}));
  EXPECT_EQ(dialect("sep=;\na,y\n1,2\n", {.separator = ','}).names, (Names{"a", "y"}));
  EXPECT_EQ(rows("sep=;\n1;2\n3;4\n").size(), 2U);
  EXPECT_EQ(dialect("sep=;\n1;2\n3;4\n").first_line, 2);
  EXPECT_EQ(dialect("sep=a,y\n1,2\n").names, (Names{"sep=a", "y"}));
  EXPECT_EQ(dialect("a,y\nsep=;,2\n").names, (Names{"a", "y"}));
  expect_input_error({"table.csv, line 4: has 3 values for 2 columns"}, [&] { rows("sep=;\na;y\n1;2\n1;2;3\n"); });
}

TEST_F(DialectTest, SpacesSeparateInRuns) {
  EXPECT_EQ(rows("  a   b\ty \n 1  2\t 3\n4 \"x y\"  6  \n", {.separator = ' '}),
            (std::vector<Names>{{"1", "2", "3"}, {"4", "x y", "6"}}));
  const Dialect found = dialect(" 5.1  3.5 setosa\n 14.9 3.25 setosa\n 4.7  3.2 virginica\n");
  EXPECT_EQ(found.separator, ' ');
  EXPECT_EQ(found.names, (Names{"1", "2", "3"}));
  expect_note(found, "spaces separate the columns");
  const Dialect texts = dialect("first last\nann lee\nbob ray\n");
  EXPECT_EQ(texts.names, (Names{"first last"}));
  expect_note(texts, "--separator space");
}

TEST_F(DialectTest, ATableMayHaveOneColumn) {
  EXPECT_EQ(rows("y\n1\n\n2\n"), (std::vector<Names>{{"1"}, {"2"}}));
  EXPECT_EQ(dialect("name\n\"a, b\"\nc\nd\ne\n").names, (Names{"name"}));
}

TEST_F(DialectTest, FindsTheDecimalSign) {
  const Dialect found = dialect("a;y\n1,5;1\n-0,5e3;2\n");
  EXPECT_EQ(found.decimal, ',');
  expect_note(found, "',' is the decimal sign");
  EXPECT_EQ(dialect("a;y\n1.5;1\n2.5;2\n").decimal, '.');
  EXPECT_EQ(dialect("a\ty\n1,5\t1\n").decimal, ',');
}

TEST_F(DialectTest, FindsTheHeader) {
  EXPECT_TRUE(dialect("a,y\n1,x\n").has_header);
  EXPECT_TRUE(dialect("id,2019,2020\n1,5,6\n2,7,8\n").has_header) << "a number among names";
  EXPECT_TRUE(dialect("day,name\n2021-03-04,x\n2021-03-05,y\n").has_header);
  EXPECT_TRUE(dialect("name,sold\nx,yes\nx,no\n").has_header);
  EXPECT_TRUE(dialect("name,city\nx,p\ny,q\n").has_header) << "texts that do not come again";
  EXPECT_TRUE(dialect("a,y\n,x\nNA,z\n1,x\n").has_header);
  for (const char* bytes :
       {"1,2\n3,4\n", "5.1,setosa\n4.9,setosa\n", "5.1,setosa\n4.9,virginica\n", "red,x\nblue,y\nred,z\n", "1,2\n",
        "yes,p\nno,q\n", "2021-03-04,x\n2021-03-05,y\n", ",1\n2,3\n", "?,1\n2,3\n"}) {
    const Dialect found = dialect(bytes);
    EXPECT_FALSE(found.has_header) << bytes;
    EXPECT_EQ(found.names, (Names{"1", "2"})) << bytes;
    expect_note(found, "has no header line");
  }
  EXPECT_EQ(dialect("a,b\n1,2\n", {.header = Header::none}).names, (Names{"1", "2"}));
  EXPECT_EQ(rows("a,b\n1,2\n", {.header = Header::none}).size(), 2U);
}

TEST_F(DialectTest, NumbersFromZeroOnAreNames) {
  EXPECT_EQ(dialect("0,1,2\n5.1,3.5,7\n4.9,3,1\n").names, (Names{"0", "1", "2"}));
  EXPECT_EQ(dialect("0,1,2\n5.1,3.5,x\n4.9,3,y\n").names, (Names{"0", "1", "2"}));
  EXPECT_EQ(dialect(",0,1,2\n0,5.1,3.5,7\n1,4.9,3,1\n").names, (Names{"", "0", "1", "2"}));
  EXPECT_EQ(dialect("\"\",\"1\",\"2\"\n1,5.1,3.5\n2,4.9,3\n").names, (Names{"", "1", "2"}));
  for (const char* bytes : {"1,2,3\n5.1,3.5,7\n4.9,3,1\n", "0,1,2\n1,2,3\n2,3,4\n", "0,1,2\n3,4,5\n6,7,8\n",
                            "0,1,2\n2,0,1\n0,1,2\n", "0,2,1\n5,6,7\n", "0,1,2\n"}) {
    EXPECT_EQ(dialect(bytes).names, (Names{"1", "2", "3"})) << bytes;
  }
  EXPECT_EQ(dialect("0,1\n1,3\n2,5\n").names, (Names{"1", "2"})) << "may as well be a point";
  EXPECT_EQ(rows("0,1,2\n5,6,9\n", {.header = Header::none}).size(), 2U);
}

TEST_F(DialectTest, NumbersAreNamesIfToldSo) {
  const std::string years = "2019,2020,2021\n5,6,7\n7,8,9\n";
  expect_note(dialect(years), "columns are 1 to 3; --header takes its first row as their names");
  EXPECT_EQ(dialect(years, {.header = Header::given}).names, (Names{"2019", "2020", "2021"}));
  EXPECT_EQ(rows(years, {.header = Header::given}).size(), 2U);
  EXPECT_EQ(dialect("5.1,setosa\n4.9,setosa\n").notes[0].find("--header"), std::string::npos);
  expect_input_error({"no row after its header line"}, [&] { dialect("1,2\n", {.header = Header::given}); });
}

/// As R's write.table does.
TEST_F(DialectTest, AHeaderMayLackTheNameOfTheRowNames) {
  const Dialect found = dialect("\"a\" \"y\"\n\"Mazda RX4\" 21 6\n\"Fiat 128\" 22.8 4\n");
  EXPECT_EQ(found.separator, ' ');
  EXPECT_EQ(found.names, (Names{"", "a", "y"}));
  EXPECT_EQ(found.first_line, 2);
  const std::vector<Names> expected = {{"1", "5", "x"}, {"2", "6", "z"}};
  EXPECT_EQ(rows("a,b\n1,5,x\n2,6,z\n"), expected);
  EXPECT_EQ(dialect("a,b\n1,5,x\n2,6,z\n").names, (Names{"", "a", "b"}));
  EXPECT_EQ(dialect("2019;2020\n1;5;6\n2;6;7\n", {.header = Header::given}).names, (Names{"", "2019", "2020"}));
  EXPECT_EQ(dialect("0\t1\n0\t5\t6\n1\t6\t7\n").names, (Names{"", "0", "1"}));
  EXPECT_EQ(dialect("a,y\n1,2,\n3,4,\n").names, (Names{"a", "y"})) << "a separator ends every row";
  expect_input_error({"line 1: has 2 values for 3 columns"}, [&] { rows("5,6\n5,6,7\n6,7,8\n"); });
  expect_input_error({"line 2: has 3 values for 2 columns"}, [&] { rows("a,y\n1,2,3\n3,4\n"); });
}

TEST_F(DialectTest, ReadsHeadersOfManyForms) {
  EXPECT_EQ(dialect("\xEF\xBB\xBF\"y\",\"a\"\n1,2\n").names, (Names{"y", "a"}));
  EXPECT_EQ(dialect("\xEF\xBB\xBF\xEF\xBB\xBFy,a\n1,2\n").names, (Names{"y", "a"}));
  EXPECT_EQ(dialect(" a ,\" b \",\"c \"\"d\"\"\"\r\n1,2,3\r\n").names, (Names{"a", "b", "c \"d\""}));
  const Dialect torn = dialect("\"net\nweight\",b\n1,2\n");
  EXPECT_EQ(torn.names, (Names{"net\nweight", "b"}));
  EXPECT_EQ(torn.first_line, 3);
  EXPECT_EQ(dialect("\n# by lab 3\n\n#\na,y\n1,2\n").names, (Names{"a", "y"}));
  EXPECT_EQ(dialect("# by lab 3\r\n\r\na,y\r\n1,2\r\n").first_line, 4);
  EXPECT_EQ(dialect("# a,y\n1,2\n3,4\n").names, (Names{"a", "y"})) << "as numpy.savetxt writes a header";
  EXPECT_EQ(dialect("# a,b,y\n1,2\n3,4\n").names, (Names{"1", "2"}));
  EXPECT_EQ(dialect(",a,y\n0,1,2\n1,3,4\n").names, (Names{"", "a", "y"}));
  EXPECT_EQ(dialect("stra\xDF"
                    "e,y\n1,2\n")
                .names,
            (Names{"stra\xC3\x9F"
                   "e",
                   "y"}));
  expect_note(dialect("a,y\n1,2\nm\xF6we,3\n"), "line 3 is not UTF-8");
}

TEST_F(DialectTest, AMissingValueBeginsNoComment) {
  EXPECT_EQ(rows("#N/A,1\n2,3\n"), (std::vector<Names>{{"#N/A", "1"}, {"2", "3"}}));
  EXPECT_EQ(rows("# by lab 3\n#NA;1\n2;3\n"), (std::vector<Names>{{"#NA", "1"}, {"2", "3"}}));
}

TEST_F(DialectTest, AnEmptyCellMayEndEveryRow) {
  const std::vector<Names> expected = {{"1", "2"}, {"3", "4"}, {"5", "6"}};
  EXPECT_EQ(rows("a,y,\n1,2,\n3,4,\n5,6,\n"), expected);
  EXPECT_EQ(rows("a,y\n1,2,\n3,4,\n5,6,\n"), expected);
  EXPECT_EQ(rows("1,2,\n3,4,\n5,6,\n"), expected);
  EXPECT_EQ(rows("1;2;\n3;4;\n5;6;\n"), expected);
  EXPECT_EQ(dialect("a,y,\n1,2,7\n3,4,\n").names, (Names{"a", "y", ""})) << "a column without a name";
  EXPECT_EQ(dialect("a,y\n1,\n3,\n").names, (Names{"a", "y"})) << "a column of missing values has a name";
  std::string bytes = "a,y\n";
  for (int i = 0; i < 1500; ++i) bytes += "1,2,\n";
  expect_input_error({"table.csv, line 1502: has 3 values for 2 columns"}, [&] { rows(bytes + "3,4,5\n"); });
}

TEST_F(DialectTest, RefusesTablesThatCannotBeRead) {
  expect_input_error({"table.csv, line 1", "column 'a' appears twice"}, [&] { dialect("a,b, \"a\"\n1,2,3\n"); });
  expect_input_error({"table.csv, line 3", "column 'a' appears twice"}, [&] { dialect("# x\n\na,a\n1,2\n"); });
  expect_input_error({"table.csv, line 1: has one value, but most rows have 3", "expected a header"},
                     [&] { dialect("Sales of 2020\n1,2,3\n4,5,6\n"); });
  EXPECT_EQ(dialect("a,,\n1,2,3\n").names, (Names{"a", "", ""}));
  EXPECT_NO_THROW(dialect("x,x\nx,y\ny,x\n", {.header = Header::none}));
  expect_input_error({"table.csv", "no row after its header line"}, [&] { dialect("a,y\n"); });
  expect_input_error({"table.csv", "holds no rows"}, [&] { dialect("\n# only comments\n \n"); });
  expect_input_error({"table.csv, line 2", "quote", "never closed"}, [&] { dialect("a,y\n1,\"x\n2,y\n"); });
  expect_input_error({"table.csv, line 2", "zero byte"}, [&] { dialect(std::string("a,b\n1,\0\n2,3\n4,5\n", 16)); });
}

}  // namespace
}  // namespace recombine
