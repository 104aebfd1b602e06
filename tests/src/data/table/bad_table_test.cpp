#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

/// A table that is refused: its text, and what the message must name.
struct BadTable {
  std::string text;
  std::vector<std::string> parts;
  std::string target = "y";
};

TEST_F(DataTest, RefusesBadTablesByLineAndColumn) {
  const std::vector<BadTable> tables = {
      {"a,y\n1,2\n1\n", {"table.csv, line 3", "1 value for 2 columns"}},
      {"a,y\n1,2\n\n1,2,3\n", {"table.csv, line 4", "3 values for 2 columns"}},
      {"a,y\n1,2.5\n2,\"3\n", {"table.csv, line 3", "quote"}},
      {"", {"table.csv", "is empty"}},
      {"a,y\n", {"table.csv", "no row"}},
      {"a,y\n\n\n", {"table.csv", "no row"}},
      {"a,b,a,y\n1,2,3,4\n2,2,1,1\n", {"table.csv, line 1", "'a'", "twice"}},
      {"# by lab 3\n\na,a,y\n1,2,3\n", {"table.csv, line 3", "'a'", "twice"}},
      {"a,b\n1,2\n", {"--target y", "table.csv", "'a' and 'b'"}},
      {"a,Income\n1,2\n", {"--target income", "did you mean Income?"}, "income"},
      {"id,name\n1,Ann\n2,Bob\n", {"--target", "'id' and 'name'", "-1"}, ""},
      {"a,when\n1,2021-05-01\n4,2021-05-02\n", {"table.csv, line 2, column 'when'", "date", "--ignore when"}, ""},
      {"y\n1\n2\n", {"table.csv", "has one column, 'y'", "--separator"}},
      {"a b y\nu v w\nu x w\n", {"table.csv", "has one column, 'a b y'", "--separator", "space"}},
      {"a,y\n1,2\n3,4\n", {"--target a,y", "leaves no input column"}, "a,y"},
      {"a,y\n3,1.5\n3,2.5\n", {"table.csv", "no input column is left", "'a' (the same value in every row)"}},
      {"a,y\n3,x\n4,x\n", {"table.csv", "'y'", "one class, 'x'"}},
      {"a,y\n3,\n4,\n", {"table.csv", "'y'", "no value in any row"}},
      {"a,y\n1,5,2,5\n2,5,1,5\n", {"table.csv, line 2", "4 values for 2 columns", "decimal commas"}},
      {"a,b,y\n1,2021-05-01,2\n4,2021-05-02,3\n", {"table.csv, line 2, column 'b'", "date", "--ignore b"}},
      {"a,y\n1.5,1\n2.5,2\n(3.5),1.5\n4.5,2\n(5.5),2\n",
       {"table.csv, line 4, column 'a'", "'(3.5)'", "expected a number"}},
      {"a,y\n1,2021-05-01\n4,2021-05-02\n", {"table.csv, line 2, column 'y'", "date"}},
      {std::string("a,y\n1,2\n3\0,4\n", 13), {"table.csv, line 3", "zero byte"}},
  };
  for (const BadTable& table : tables) {
    SCOPED_TRACE(table.text);
    expect_refused({.data = write("table.csv", table.text), .target = table.target}, table.parts);
  }
}

TEST_F(DataTest, RefusesOtherKindsOfFiles) {
  for (const auto& [name, part] : {std::pair("t.parquet", "pandas.read_parquet('"),
                                   {"t.XLSX", "pandas.read_excel('"},
                                   {"t.json", "t.json').to_csv('"},
                                   {"t.jsonl", "t.jsonl', lines=True).to_csv('"},
                                   {"t.zip", "unpack the archive"},
                                   {"t.npz", "--target-data"},
                                   {"t.safetensors", "--load"}}) {
    expect_refused({.data = write(name, "a,y\n1,2\n"), .target = "y"}, {std::string("--data ") + path(name), part});
    const std::string table = write("table.csv", "a,y\n1,2\n3,4\n");
    expect_refused({.data = table, .target = "y", .test = path(name)}, {std::string("--test ") + path(name), part});
  }
  for (const char* name : {"t.data", "t.TXT", "t.tsv", "t", "t.2024"}) {
    EXPECT_EQ(load({.data = write(name, "a,y\n1,2\n3,4\n"), .target = "y"}).train.rows, 2) << name;
  }
  expect_refused({.data = path("none.csv"), .target = "y"}, {"--data", "none.csv", "no such file"});
  expect_refused({.data = "synthetic:9,2,1", .target = "y"}, {"--target", "synthetic:9,2,1"});
  expect_refused({.data = "synthetic:9,2,1", .test = "0.5"}, {"--test 0.5", "test rows of its own"});
  expect_refused({.data = "synthetic:9,2,1", .answers = AnswerKind::classes}, {"--loss cross-entropy"});
}

}  // namespace
}  // namespace recombine
