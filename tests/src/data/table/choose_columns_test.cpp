#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

class ChooseColumnsTest : public DataTest {
 protected:
  DataSet read(const std::string& text, DataOptions options = {}) const {
    options.data = write("t.csv", text);
    if (options.target.empty()) options.target = "y";
    return load_data(options);
  }
  static std::string kinds_of(const TableSchema& schema) {
    std::string all;
    for (const InputColumn& column : schema.inputs) {
      const char* const kind = column.kind == ColumnKind::number   ? "number"
                               : column.kind == ColumnKind::yes_no ? "yes_no"
                                                                   : "category";
      all += fmt::format("{}:{} ", column.name, kind);
    }
    return all;
  }
  /// Rows of "row number, cell" and a target of two values.
  static std::string column_of(const std::vector<std::string>& cells) {
    std::string text = "a,b,y\n";
    for (std::size_t i = 0; i < cells.size(); ++i) text += fmt::format("{},{},{}.5\n", i * i, cells[i], i % 2);
    return text;
  }
  void expect_column_refused(const std::vector<std::string>& cells, const std::vector<std::string>& parts) const {
    expect_refused({.data = write("t.csv", column_of(cells)), .target = "y"}, parts);
  }
};

TEST_F(ChooseColumnsTest, TextsAreCategoriesInSortedOrder) {
  const DataSet set = read("a,b,y\n1,red,1.5\n5,green,2\n2,red,3\n4,,4\n");
  EXPECT_EQ(kinds_of(set.schema), "a:number b:category ");
  EXPECT_EQ(set.schema.inputs[1].categories, (std::vector<std::string>{"green", "red"}));
  EXPECT_TRUE(set.schema.inputs[1].has_missing);
  const std::vector<float> x = features_of(set.data.train);
  const auto row = [&](std::size_t r) { return std::vector<float>(x.begin() + 4 * r + 1, x.begin() + 4 * r + 4); };
  EXPECT_EQ(row(0), (std::vector<float>{0, 1, 0}));
  EXPECT_EQ(row(1), (std::vector<float>{1, 0, 0}));
  EXPECT_EQ(row(3), (std::vector<float>{0, 0, 1}));
}

TEST_F(ChooseColumnsTest, YesAndNoAreOneAndZero) {
  for (const auto& [no, yes] : {std::pair("no", "YES"), {"False", "true"}, {"NO", "Yes"}}) {
    const DataSet set = read(fmt::format("a,b,y\n1,{},1.5\n5,{},2\n2,{},3\n", yes, no, no));
    EXPECT_EQ(kinds_of(set.schema), "a:number b:yes_no ");
    const std::vector<float> x = features_of(set.data.train);
    EXPECT_EQ((std::vector<float>{x[1], x[3], x[5]}), (std::vector<float>{1, 0, 0}));
  }
  EXPECT_EQ(kinds_of(read("a,b,y\n1,true,1.5\n5,no,2\n2,no,3\n").schema), "a:number b:category ") << "of two pairs";
}

TEST_F(ChooseColumnsTest, LeavesOutWhatSaysNothing) {
  const std::string text =
      "id,name,same,none,word,a,y\n7,Ann,3,,x,1,0.5\n8,Bob,3.0,NA,x,9,1\n9,Cid,3,,x,4,1.5\n10,Dan,3,?,x,5,0\n";
  const DataSet set = read(text);
  EXPECT_EQ(kinds_of(set.schema), "a:number ");
  EXPECT_EQ(set.schema.left_out, (std::vector<std::string>{"id", "name", "same", "none", "word"}));
  const std::string notes = all_notes({.data = path("t.csv"), .target = "y"});
  for (const char* note : {"'id': left out: the number of the row", "'name': left out: a different text in every row",
                           "'same' and 'word': left out: the same value in every row", "'none': left out: no values"}) {
    EXPECT_NE(notes.find(note), std::string::npos) << notes;
  }
  const DataSet named = read(text, {.features = "id,name,a,same,word"});
  EXPECT_EQ(kinds_of(named.schema), "id:number name:category same:number word:category a:number ");
  expect_refused({.data = path("t.csv"), .target = "y", .features = "none"}, {"--features none", "no values"});
}

TEST_F(ChooseColumnsTest, RowNumbersAreAnInputIfThereIsNoOther) {
  EXPECT_EQ(kinds_of(read("x,y\n1,2.5\n2,4.5\n3,6.5\n").schema), "x:number ");
  expect_refused({.data = write("t.csv", "x,y\n3,2.5\n3,4.5\n"), .target = "y"},
                 {"no input column is left", "'x' (the same value in every row)"});
}

TEST_F(ChooseColumnsTest, AFirstColumnWithoutANameIsNoInput) {
  for (const std::array<const char*, 4>& names : {std::array{"p", "q", "p", "r"},
                                                  {"7", "3", "5", "4"},
                                                  {"1", "2", "3", "4"},
                                                  {"2021-01-01", "2021-01-02", "2021-01-03", "2021-01-04"},
                                                  {"", "1", "x", "2"}}) {
    for (const char* header : {",a,y", "a,y"}) {  // as pandas and R write it
      std::string text = fmt::format("{}\n", header);
      for (std::size_t r = 0; r < names.size(); ++r) text += fmt::format("{},{},{}.5\n", names[r], r * r, r % 2);
      const DataSet set = read(text);
      EXPECT_EQ(kinds_of(set.schema), "a:number ");
      EXPECT_EQ(set.schema.left_out, (std::vector<std::string>{"column 1"}));
      const std::string notes = all_notes({.data = path("t.csv"), .target = "y"});
      EXPECT_NE(notes.find("'column 1': left out: no name in the header"), std::string::npos) << notes;
    }
  }
  const std::string text = ",a,y\n7,1,0.5\n3,5,1\n9,2,2\n";
  EXPECT_EQ(kinds_of(read(text, {.features = "1,a"}).schema), "column 1:number a:number ");
  EXPECT_EQ(kinds_of(read("a,,y\n7,1,0.5\n3,5,1\n9,2,2\n").schema), "a:number column 2:number ");
}

TEST_F(ChooseColumnsTest, FeaturesAndIgnore) {
  const std::string text = "a,b,c,y\n1,2,3,0.5\n3,1,2,1.5\n2,9,8,1\n";
  EXPECT_EQ(kinds_of(read(text, {.features = "c,1"}).schema), "a:number c:number ");
  EXPECT_EQ(kinds_of(read(text, {.ignore = "b"}).schema), "a:number c:number ");
  const std::string file = path("t.csv");
  expect_refused({.data = file, .target = "y", .features = "d"}, {"--features d", "no such column", "'a'"});
  expect_refused({.data = file, .target = "y", .ignore = "A"}, {"--ignore A", "did you mean a?"});
  expect_refused({.data = file, .target = "y", .features = "a,y"}, {"--features y", "--target"});
  expect_refused({.data = file, .target = "y", .ignore = "y"}, {"--ignore y", "--target"});
  expect_refused({.data = file, .target = "y", .features = "a,b", .ignore = "b"}, {"--ignore b", "--features"});
  expect_refused({.data = file, .target = "y", .ignore = "a,a"}, {"--ignore a", "named twice"});
  expect_refused({.data = file, .target = "y", .ignore = "a,b,c"}, {"no input column is left"});
}

TEST_F(ChooseColumnsTest, TargetsByNameAndNumber) {
  const std::string text = "a,2,\"c, d\",y\n1,2,3,0.5\n3,1,2,1.5\n2,9,8,1\n";
  const auto target = [&](const std::string& option) {
    std::string names;
    for (const TargetColumn& column : read(text, {.target = option}).schema.targets) names += column.name + "|";
    return names;
  };
  EXPECT_EQ(target("y"), "y|");
  EXPECT_EQ(target("-1"), "y|");
  EXPECT_EQ(target("4"), "y|");
  EXPECT_EQ(target("1"), "a|");
  EXPECT_EQ(target("2"), "2|");  // a name wins over a number
  EXPECT_EQ(target("c, d"), "c, d|");
  EXPECT_EQ(target("\"c, d\", y"), "c, d|y|");
  EXPECT_EQ(target("-2,a"), "c, d|a|");
  for (const char* bad : {"5", "0", "-5", "Y", "a,", "1.0"}) {
    expect_refused({.data = path("t.csv"), .target = bad}, {"--target", "no such column", "'c, d'"});
  }
  expect_refused({.data = path("t.csv"), .target = "a,1"}, {"--target 1", "named twice"});
  expect_refused({.data = path("t.csv"), .target = "a,2,c,y"}, {"--target c"});
  expect_refused({.data = path("t.csv"), .target = "a,2,\"c, d\",y"}, {"--target", "leaves no input column"});
  EXPECT_EQ(read("a,b,y,\n1,3,0.5,\n4,5,1.5,\n", {.target = "-1"}).schema.targets[0].name, "y");
}

TEST_F(ChooseColumnsTest, WithoutTargetItIsTheLastColumnOrHasAUsualName) {
  const auto expect_guess = [&](const std::string& text, const std::string& target, const char* said,
                                DataOptions options = {}) {
    SCOPED_TRACE(text);
    options.data = write("t.csv", text);
    const DataSet set = load_data(options);
    EXPECT_EQ(set.schema.targets[0].name, target);
    const std::string notes = all_notes(options);
    EXPECT_NE(notes.find(fmt::format("t.csv: no --target: {} is the target\n", said)), std::string::npos) << notes;
    options.target = target;
    EXPECT_EQ(to_json(set.schema), to_json(load_data(options).schema)) << "with --target";
    EXPECT_EQ(all_notes(options).find("no --target"), std::string::npos);
  };
  expect_guess("a,b,species\n1,7,x\n5,2,z\n2,9,x\n", "species", "the last column, 'species',");
  expect_guess("a,Class,b\n1,x,7\n5,z,2\n2,x,9\n", "Class", "column 'Class'");
  expect_guess("a,label,y,b\n1,x,7,1\n5,z,2,0.5\n2,x,9,2\n", "b", "the last column, 'b',");
  expect_guess("1,7,x\n5,2,z\n2,9,x\n", "3", "the last column, '3',");
  expect_guess("a,b,\n1,7,\n5,2,\n2,9,\n", "b", "the last column, 'b',");
  expect_guess("a,b,PassengerId\n1,7,12\n5,2,11\n2,9,17\n", "b", "column 'b'");
  expect_guess("a,b,name\n1,7,Ann\n5,2,Bob\n2,9,Cid\n", "b", "column 'b'");
  expect_guess("a,b,genre_id\n1,7,12\n5,2,11\n2,9,12\n", "genre_id", "the last column, 'genre_id',");
  expect_guess("a,b,c\n1,7,2.5\n5,2,1\n2,9,4\n", "b", "column 'b'", {.ignore = "c"});
  expect_guess("a,b,y\n1,7,2.5\n5,2,1\n2,9,4\n", "b", "column 'b'", {.features = "a,y"});
}

TEST_F(ChooseColumnsTest, OnlyNamesOfRowNumbersAreLeftOut) {
  const auto expect_input = [&](const std::string& name, bool is_input) {
    const DataSet set = read(fmt::format("a,{},y\n5,1,0.5\n2,2,3\n9,3,1\n", name));
    EXPECT_EQ(set.schema.inputs.size(), is_input ? 2U : 1U) << name;
    const std::string notes = all_notes({.data = path("t.csv"), .target = "y"});
    const std::string note = is_input ? fmt::format("t.csv: '{0}' counts the rows: --ignore {0} leaves it out\n", name)
                                      : "left out: the number of the row; to keep it, name all inputs with --features";
    EXPECT_NE(notes.find(note), std::string::npos) << notes;
  };
  for (const char* name : {"", "Unnamed: 0", "ID", "user_id", "User_ID", "PassengerId", "rowID", "Index", "idx", "row",
                           "row_number", "No.", "#", "n", "S.No", "Observation", "uid", "Serial"}) {
    expect_input(name, false);
  }
  for (const char* name : {"week", "year", "paid", "valid", "time", "x", "grid"}) expect_input(name, true);
  EXPECT_EQ(kinds_of(read("0,5,0.5\n1,2,3\n2,9,1\n", {.target = "3"}).schema), "2:number ");
  EXPECT_EQ(kinds_of(read("5,0,0.5\n2,1,3\n9,2,1\n", {.target = "3"}).schema), "1:number 2:number ");
}

TEST_F(ChooseColumnsTest, ClassesOfTexts) {
  const DataSet set = read("a,y\n1,b\n5,a\n2,b\n4,Ü\n");
  EXPECT_EQ(set.schema.classes, (std::vector<std::string>{"a", "b", "Ü"}));
  EXPECT_EQ(set.data.classes, 3);
  EXPECT_EQ(set.data.train.labels, (std::vector<std::int32_t>{1, 0, 1, 2}));
  EXPECT_EQ(read("a,y\n1,TRUE\n5,false\n2,true\n").data.train.labels, (std::vector<std::int32_t>{1, 0, 1}));
  const std::string file = write("t.csv", "a,c,y\n1,0,b\n5,3,a\n2,2,b\n");
  expect_refused({.data = file, .target = "y", .answers = AnswerKind::numbers}, {"line 2", "'y'", "'b'", "--loss mse"});
  expect_refused({.data = file, .target = "y,a"}, {"--target", "'y'", "classes"});
  expect_table_refused("a,y\n1,b\n5,b\n2,b\n", {"'y'", "one class, 'b'"});
  expect_table_refused("a,y\n1,b\n5,c\n2,d\n", {"'y'", "3 different texts in 3 rows"});
}

TEST_F(ChooseColumnsTest, MergedSpellingsOfClassesAreSaid) {
  const std::string file = write("t.csv", "a,y\n1,Yes\n5,no\n2,yes\n4,NO\n7,no\n");
  EXPECT_EQ(load_data({.data = file, .target = "y"}).schema.classes, (std::vector<std::string>{"NO", "Yes"}));
  const std::string notes = all_notes({.data = file, .target = "y"});
  EXPECT_NE(notes.find("'y': 2 classes: 'NO' and 'Yes'; other spellings count as these: 'no' and 'yes'"),
            std::string::npos)
      << notes;
  EXPECT_EQ(all_notes({.data = write("t.csv", "a,y\n1,yes\n5,no\n2,yes\n"), .target = "y"}).find("spellings"),
            std::string::npos);
}

TEST_F(ChooseColumnsTest, ClassesOfNumbers) {
  std::string text = "a,y\n";
  for (int i = 0; i < 20; ++i) text += fmt::format("{},{}\n", i * i, i % 2 == 0 ? "10" : i % 4 == 1 ? "-1" : "+2");
  const DataSet set = read(text);
  EXPECT_EQ(set.schema.classes, (std::vector<std::string>{"-1", "+2", "10"}));
  EXPECT_EQ(set.data.train.labels[1], 0);
  EXPECT_NE(all_notes({.data = path("t.csv"), .target = "y"}).find("--loss mse"), std::string::npos);
  EXPECT_EQ(read(text, {.answers = AnswerKind::numbers}).data.classes, 0);
  const std::string few = "a,y\n1,0\n5,2\n3,2.0\n";  // too few rows to be classes by themselves
  EXPECT_EQ(read(few).data.classes, 0);
  EXPECT_EQ(read(few, {.answers = AnswerKind::classes}).schema.classes, (std::vector<std::string>{"0", "2"}));
  const DataSet long_ones = read("a,y\n1,0.000e+00\n5,1.000e+00\n7,0.000e+00\n", {.answers = AnswerKind::classes});
  EXPECT_EQ(long_ones.schema.classes, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(read("a;y\n1,5;0,0\n5,5;1,0\n7,5;0,0\n", {.answers = AnswerKind::classes}).schema.classes,
            (std::vector<std::string>{"0", "1"}));
  expect_refused({.data = write("t.csv", "a,y\n1,0.5\n3,1\n"), .target = "y", .answers = AnswerKind::classes},
                 {"--loss cross-entropy", "'y'", "not whole"});
  expect_refused({.data = write("t.csv", "a,y\n1,3\n3,3\n"), .target = "y", .answers = AnswerKind::classes},
                 {"one class, '3'", "--loss mse"});
}

TEST_F(ChooseColumnsTest, AConstantTargetIsSaid) {
  const std::string notes = all_notes({.data = write("t.csv", "a,y\n1,2.5\n3,2.5\n"), .target = "y"});
  EXPECT_NE(notes.find("'y' is 2.5 in every row"), std::string::npos) << notes;
}

TEST_F(ChooseColumnsTest, RefusesColumnsThatNoNumberComesFrom) {
  expect_column_refused({"2020-01-02", "2020-01-03", "2020-01-04"},
                        {"t.csv, line 2, column 'b'", "'2020-01-02' is a date or a time", "--ignore b", "the year"});
  for (const char* date : {"1-Jan-90", "\"Jan 1, 1990\"", "Jan-90", "1990-01", "1 days 02:00:00", "00:00:00"}) {
    expect_column_refused({date, date, "", date}, {"t.csv, line 2, column 'b'", "is a date or a time", "--ignore b"});
  }
  std::vector<std::string> cells(20, "1.5");
  cells[7] = "abc";
  expect_column_refused(cells, {"t.csv, line 9, column 'b'", "'abc'", "expected a number", "19 other rows"});
  cells[7] = "inf";
  expect_column_refused(cells, {"line 9, column 'b'", "'inf'"});
  expect_column_refused({"\"1,5\"", "\"2,5\"", "\"3,5\""}, {"line 2", "'1,5'", "decimal"});
}

TEST_F(ChooseColumnsTest, NumbersThatF32BlursHaveAnOrigin) {
  DataOptions options{.data = write("t.csv", "a,t,y\n1,1700000000,0.5\n3,1700000007,1\n2,1700000012,2\n"),
                      .target = "y"};
  EXPECT_EQ(load_data(options).schema.inputs[0].origin, 0);
  EXPECT_EQ(load_data(options).schema.inputs[1].origin, 1700000006);
  EXPECT_EQ(all_notes(options), "");
  options.standardize = Standardize::no;
  EXPECT_EQ(load_data(options).schema.inputs[1].origin, 0);
  EXPECT_NE(all_notes(options).find("'t': 1700000000 to 1700000012 differ by little for f32; without --no-standardize"),
            std::string::npos);
  options.data = write("t.csv", "a,t,y\n1,1995,0.5\n3,2007,1\n2,2011,2\n");
  EXPECT_EQ(all_notes(options), "") << "years";
}

TEST_F(ChooseColumnsTest, NumbersWithUnitsAreNoIds) {
  for (const char* form : {"{}%", "${}", "€{}.5", "{} kg", "\"1,{}00,500\""}) {
    std::vector<std::string> cells;
    for (int i = 1; i < 10; ++i) cells.push_back(fmt::format(fmt::runtime(form), i));
    expect_column_refused(cells, {"t.csv, line 2, column 'b'", "expected a number without a unit", "--ignore b"});
  }
  EXPECT_EQ(kinds_of(read(column_of({"user1", "user2", "user3"})).schema), "a:number ");
  EXPECT_EQ(kinds_of(read(column_of({"5%", "7%", "5%"})).schema), "a:number b:category ");
}

TEST_F(ChooseColumnsTest, NamesAllColumnsWithTooManyTexts) {
  std::string text = "a,many texts,more,y\n";
  for (int i = 0; i < 140; ++i) text += fmt::format("{},t{},u{},{}.5\n", i * i, i % 65, i % 70, i);
  expect_table_refused(text,
                       {"'many texts' (65), 'more' (70)", "at most 64 (--categories)", "--ignore 'many texts,more'"});
  EXPECT_EQ(read(text, {.categories = 70}).data.train.inputs, 1 + 65 + 70);
}

}  // namespace
}  // namespace recombine
