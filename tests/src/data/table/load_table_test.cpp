#include <algorithm>
#include <cmath>

#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

using LoadTableTest = DataTest;

TEST_F(LoadTableTest, ReadsNumbers) {
  const std::string text = "a, \"y\" ,b\r\n1,2,3\r\n-4e1,5.5, 6\r\n\r\n";
  const LoadedData data = load(plain(text));
  EXPECT_EQ(data.name, "table.csv");
  EXPECT_EQ(data.classes, 0);
  EXPECT_EQ(features_of(data.train), (std::vector<float>{1, 3, -40, 6}));
  EXPECT_EQ(data.train.targets, (std::vector<float>{2, 5.5}));
  DataOptions two = plain(text);
  two.target = "b,y";
  EXPECT_EQ(load(two).train.targets, (std::vector<float>{3, 2, 6, 5.5}));
}

TEST_F(LoadTableTest, TinyNumbersBecomeZero) {
  EXPECT_EQ(features_of(load(plain("a,y\n1e-60,-1e-60\n1,2\n")).train), (std::vector<float>{0, 1}));
}

TEST_F(LoadTableTest, TrueAndFalseAreOneAndZeroInEveryTable) {
  const std::string words = "a,b,y\nTrue,1,yes\nFALSE,2,no\nTrue,5,no\n", digits = "a,b,y\n1,1,1\n0,2,0\n1,5,0\n";
  for (const auto& [trained, used] : {std::pair(words, digits), {digits, words}}) {
    DataOptions options = plain(trained);
    options.answers = AnswerKind::classes;
    const DataSet first = load_data(options);
    DataOptions other = plain(used);
    other.schema = first.schema;
    const DataSet second = load_data(other);
    EXPECT_EQ(features_of(second.data.train), features_of(first.data.train));
    EXPECT_EQ(second.data.train.labels, first.data.train.labels);
  }
}

TEST_F(LoadTableTest, SplitsKeepTheOrderOfTheFile) {
  std::string text = "a,y\n";
  for (int i = 0; i < 1000; ++i) text += fmt::format("{},{}.5\n", 2 * i, 2 * i);
  DataOptions options = plain(text);
  options.validation = "0.3";
  options.test = "0.2";
  options.seed = 1;
  const LoadedData data = load(options);
  EXPECT_EQ(data.test.rows, 200);
  EXPECT_EQ(data.validation.rows, 240);
  EXPECT_EQ(data.train.rows, 560);
  std::vector<float> all;
  for (const LoadedTable* table : {&data.train, &data.test, &data.validation}) {
    const std::vector<float> x = features_of(*table);
    EXPECT_TRUE(std::ranges::is_sorted(x));
    for (std::size_t r = 0; r < x.size(); ++r) EXPECT_EQ(table->targets[r], x[r] + 0.5F);
    all.insert(all.end(), x.begin(), x.end());
  }
  std::ranges::sort(all);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], static_cast<float>(2 * i));
  options.seed = 2;
  EXPECT_NE(features_of(load(options).test), features_of(data.test));
}

TEST_F(LoadTableTest, StandardizesByTheTrainingRows) {
  const std::string file = write("table.csv", "a,b,y\n1,5,0.5\n3,5,1.5\n5,5,2.5\n");
  const DataSet set =
      load_data({.data = file, .target = "y", .features = "a,b", .validation = write("v.csv", "y,b,a\n2.5,6,3\n")});
  const double deviation = std::sqrt(8.0 / 3);
  const std::vector<float> x = features_of(set.data.train);
  EXPECT_NEAR(x[0], -2 / deviation, 1e-6);
  EXPECT_EQ(x[1], 0);  // a constant column is centred only
  EXPECT_EQ(features_of(set.data.validation), (std::vector<float>{0, 1}));
  EXPECT_NEAR(set.schema.inputs[0].mean, 3, 1e-12);
  EXPECT_NEAR(set.schema.inputs[0].deviation, deviation, 1e-12);
  EXPECT_NEAR(set.schema.targets[0].mean, 1.5, 1e-12);
  EXPECT_NEAR(set.data.validation.targets[0], std::sqrt(1.5), 1e-6);
  const LoadedData as_it_is = load({.data = file, .target = "y", .standardize = Standardize::no});
  EXPECT_EQ(as_it_is.train.targets, (std::vector<float>{0.5, 1.5, 2.5}));
}

/// f32 tells only every 128th of these times apart.
TEST_F(LoadTableTest, LargeNumbersThatDifferByLittleKeepTheirDigits) {
  std::string text = "t,a,y\n", reordered = "y,t,a\n";
  for (int i = 0; i < 60; ++i) {
    const std::string t = i == 30 ? "" : fmt::format("{}", 1700000000 + i),
                      y = fmt::format("{}.25", 1600000000 + 2 * i);
    text += fmt::format("{},{},{}\n", t, i * i, y);
    reordered += fmt::format("{},{},{}\n", y, t, i * i);
  }
  for (const Missing missing : {Missing::mean, Missing::median}) {
    const DataSet set = load_data({.data = write("t.csv", text), .target = "y", .missing = missing});
    const InputColumn& column = set.schema.inputs[0];
    const TargetColumn& target = set.schema.targets[0];
    EXPECT_NEAR(column.fill, 1700000000 + (missing == Missing::mean ? 1740.0 / 59 : 29), 1e-5);
    EXPECT_NEAR(column.deviation, 17.3, 0.1);
    EXPECT_NEAR(target.mean, 1600000059.25, 1e-5);
    const std::vector<float> x = features_of(set.data.train);
    for (std::size_t i = 0; i < 60; ++i) {
      const double row = static_cast<double>(i), value = i == 30 ? column.fill : 1700000000 + row;
      EXPECT_NEAR(x[2 * i], (value - column.mean) / column.deviation, 1e-6);
      EXPECT_NEAR(set.data.train.targets[i], (2 * row - 59) / target.deviation, 1e-6);
    }
    const DataSet again =
        load_data({.data = write("n.csv", reordered), .schema = schema_from_json("m", to_json(set.schema))});
    EXPECT_EQ(features_of(again.data.train), x) << "bit by bit";
    EXPECT_EQ(again.data.train.targets, set.data.train.targets);
  }
}

TEST_F(LoadTableTest, FillsMissingNumbers) {
  const std::string file = write("t.csv", "a,b,y\n1,yes,0.5\n,no,1.5\n9,,2.5\n2,no,9.5\n");
  DataOptions options{.data = file, .target = "y", .standardize = Standardize::no};
  EXPECT_EQ(features_of(load(options).train), (std::vector<float>{1, 1, 4, 0, 9, 1.0F / 3, 2, 0}));
  EXPECT_NE(all_notes(options).find("t.csv: 'a': 1 of 4 values are missing: the mean 4 is used"), std::string::npos);
  options.missing = Missing::median;
  EXPECT_EQ(features_of(load(options).train), (std::vector<float>{1, 1, 2, 0, 9, 0, 2, 0}));
  options.missing = Missing::drop;
  EXPECT_EQ(features_of(load(options).train), (std::vector<float>{1, 1, 2, 0}));
  EXPECT_EQ(load(options).train.targets, (std::vector<float>{0.5, 9.5}));
  EXPECT_NE(all_notes(options).find("2 of 4 rows are left out"), std::string::npos);
  options.missing = Missing::error;
  expect_refused(options, {"t.csv, line 3, column 'a'", "missing", "--missing"});
  options = {.data = file, .target = "y"};  // a filled value counts as one
  const DataSet set = load_data(options);
  EXPECT_NEAR(set.schema.inputs[0].mean, 4, 1e-12);
  EXPECT_NEAR(set.schema.inputs[0].deviation, std::sqrt((9 + 0 + 25 + 4) / 4.0), 1e-12);
}

TEST_F(LoadTableTest, DropsRowsWithoutATarget) {
  const std::string file = write("t.csv", "a,y\n1,x\n2,\n5,z\n7,NA\n9,x\n");
  const DataSet set = load_data({.data = file, .target = "y", .standardize = Standardize::no});
  EXPECT_EQ(features_of(set.data.train), (std::vector<float>{1, 5, 9}));
  EXPECT_EQ(set.data.train.labels, (std::vector<std::int32_t>{0, 1, 0}));
  EXPECT_NE(all_notes({.data = file, .target = "y"}).find("2 of 5 rows are left out"), std::string::npos);
  expect_refused({.data = file, .target = "y", .missing = Missing::error}, {"t.csv, line 3, column 'y'"});
  expect_table_refused("a,y\n1,\n3,\n", {"'y'", "no value"});
  expect_refused(
      {.data = write("t.csv", "a,b,y\n1,,0.5\n,2,1.5\n3,,1\n,5,2\n"), .target = "y", .missing = Missing::drop},
      {"all 4 rows", "--missing mean"});
}

TEST_F(LoadTableTest, OtherFilesAreReadAsTheTrainingTable) {
  const std::string file = write("t.csv", "a,b,c,y\n1,red,7,x\n5,blue,3,z\n9,,5,x\n2,red,1,z\n");
  const auto validation = [&](const std::string& text) {
    return DataOptions{.data = file,
                       .target = "y",
                       .standardize = Standardize::no,
                       .validation = write("v.csv", text),
                       .test = write("w.csv", "y;c;b;a\nz;1,5;red;2\n")};
  };
  const LoadedData data = load(validation("b,extra,y,a,c\nblue,0,z,,2\n"));
  EXPECT_EQ(features_of(data.validation), (std::vector<float>{4.25, 1, 0, 0, 2}));
  EXPECT_EQ(features_of(data.test), (std::vector<float>{2, 0, 1, 0, 1.5}));
  EXPECT_EQ(data.validation.labels, std::vector<std::int32_t>{1});
  EXPECT_NE(all_notes(validation("b,extra,y,a,c\nblue,0,z,,2\n")).find("'extra'"), std::string::npos);
  expect_refused(validation("b,y,A\nblue,z,1\n"), {"--validation", "v.csv", "'a' and 'c'", "did you mean A?"});
  expect_refused(validation("a,b,c\n1,red,2\n"), {"--validation", "v.csv", "target", "'y'"});
  expect_refused(validation("a,b,c,y\n1,red,2,x\n1,green,2,x\n"),
                 {"v.csv, line 3, column 'b'", "'green'", "'blue' and 'red'"});
  expect_refused(validation("a,b,c,y\n1,red,2,q\n"), {"v.csv, line 2, column 'y'", "'q'", "'x' and 'z'"});
  expect_refused(validation("a,b,c,y\nq,red,2,x\n"), {"v.csv, line 2, column 'a'", "'q'", "a finite number"});
  expect_refused({.data = file, .target = "y", .validation = path("none.csv")}, {"none.csv"});
  expect_refused({.data = file, .target = "y", .validation = "7"}, {"--validation 7", "fraction"});
}

TEST_F(LoadTableTest, CategoriesOfOtherEncodings) {
  const std::string file = write("t.csv", "a,b,y\n1,Käse,0.5\n5,Brot,1\n9,Käse,2\n");
  const std::string latin1 = write("v.csv", "a,b,y\n1,K\xE4se,0.5\n");
  const LoadedData data = load({.data = file, .target = "y", .standardize = Standardize::no, .validation = latin1});
  EXPECT_EQ(features_of(data.validation), (std::vector<float>{1, 0, 1}));
}

TEST_F(LoadTableTest, ASchemaReadsNewDataAsTheTrainingData) {
  const std::string text = "id,a,b,on,y\n1,1,red,yes,x\n2,5,blue,no,z\n3,,red,,x\n4,2.5,,no,z\n";
  const DataSet trained = load_data({.data = write("t.csv", text), .target = "y"});
  DataOptions again{.data = write("n.csv", "on,y,b,a\nyes,x,red,1\nno,z,blue,5\n,x,red,\nno,z,,2.5\n"),
                    .schema = schema_from_json("m", to_json(trained.schema))};
  const DataSet same = load_data(again);
  EXPECT_EQ(features_of(same.data.train), features_of(trained.data.train)) << "bit by bit";
  EXPECT_EQ(same.data.train.labels, trained.data.train.labels);
  EXPECT_EQ(same.answers, Answers::present);
  EXPECT_EQ(to_json(same.schema), to_json(trained.schema));

  again.data = write("n.csv", "on,b,a\nyes,red,1\n");
  const DataSet unlabeled = load_data(again);
  EXPECT_EQ(unlabeled.answers, Answers::absent);
  EXPECT_EQ(unlabeled.data.train.labels, std::vector<std::int32_t>{0});
  EXPECT_EQ(unlabeled.data.classes, 2);
  again.target = "y";
  EXPECT_EQ(load_data(again).answers, Answers::absent) << "--target may stay";
  again.target = "z";
  expect_refused(again, {"--target z", "no such column"});
  again.target = "b";
  expect_refused(again, {"--target", "input of the model"});
  again = {.data = write("n.csv", "on,b,a\nyes,green,1\n"), .schema = trained.schema};
  expect_refused(again, {"n.csv, line 2, column 'b'", "'green'"});
  again.data = write("n.csv", "on,a\nyes,1\n");
  expect_refused(again, {"n.csv", "lacks the column 'b'"});
  again.features = "a";
  expect_refused(again, {"--features", "the model knows its input columns"});
}

TEST_F(LoadTableTest, ARegressionWithoutTargetsHasZeros) {
  const DataSet trained = load_data({.data = write("t.csv", "a,y,z\n1,0.5,1\n3,1.5,2.5\n"), .target = "y,z"});
  const DataSet same = load_data({.data = path("t.csv"), .schema = trained.schema});
  EXPECT_EQ(same.data.train.targets, trained.data.train.targets);
  const DataSet set = load_data({.data = write("n.csv", "a\n7\n9\n"), .schema = trained.schema});
  EXPECT_EQ(set.answers, Answers::absent);
  EXPECT_EQ(set.data.train.targets, std::vector<float>(4, 0));
}

TEST_F(LoadTableTest, WithoutAHeaderColumnsAreMatchedByTheirOrder) {
  const DataSet trained = load_data({.data = write("t.csv", "1,5,x\n3,2,z\n2,9,x\n"), .target = "-1"});
  const DataSet same = load_data({.data = path("t.csv"), .schema = trained.schema});
  EXPECT_EQ(features_of(same.data.train), features_of(trained.data.train));
  EXPECT_EQ(same.answers, Answers::present);
  const DataSet unlabeled = load_data({.data = write("n.csv", "1,5\n3,2\n"), .schema = trained.schema});
  EXPECT_EQ(unlabeled.answers, Answers::absent);
  expect_refused({.data = write("n.csv", "1,5,2,7\n3,2,1,8\n"), .schema = trained.schema}, {"n.csv", "4 columns"});
}

TEST_F(LoadTableTest, UnnamedInputsNeedTheSameData) {
  const DataSet images = load_data({.data = "synthetic:20,3,2", .standardize = Standardize::yes});
  EXPECT_EQ(images.schema.inputs.size(), 3U);
  const DataSet same = load_data({.data = "synthetic:20,3,2", .schema = images.schema});
  EXPECT_EQ(same.data.train.features, images.data.train.features);
  expect_refused({.data = "synthetic:20,4,2", .schema = images.schema}, {"synthetic:20,4,2", "4 inputs", "expects 3"});
  expect_refused({.data = "synthetic:20,3,1", .schema = images.schema}, {"1 targets", "expects 2"});
  write("train-images-idx3-ubyte", std::string(DataTest::images(40)));
  write("train-labels-idx1-ubyte", labels(40));
  const DataSet pixels = load_data({.data = folder_.string(), .standardize = Standardize::yes});
  EXPECT_EQ(pixels.schema.unnamed_inputs, 6);
  EXPECT_EQ(pixels.schema.classes, (std::vector<std::string>{"0", "1", "2", "3"}));
  write("train-images-idx3-ubyte", std::string(DataTest::images(7)));
  write("train-labels-idx1-ubyte", labels(7));
  const DataSet other = load_data({.data = folder_.string(), .schema = pixels.schema});
  EXPECT_EQ(other.data.input.scale, pixels.data.input.scale) << "the factors of the training data";
  EXPECT_EQ(other.data.input.shift, pixels.data.input.shift);
  expect_refused({.data = write("t.csv", "a,y\n1,2\n3,4\n"), .schema = pixels.schema}, {"t.csv", "images or arrays"});
}

}  // namespace
}  // namespace recombine
