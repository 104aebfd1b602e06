#include <algorithm>
#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "src/data/csv.hpp"
#include "src/data/load_data.hpp"
#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

TEST_F(DataTest, ReadsIdxPlainAndPacked) {
  write("train-images-idx3-ubyte", images(9));
  write_gzip("train-labels-idx1-ubyte.gz", labels(9));
  write_gzip("t10k-images-idx3-ubyte.gz", images(3));
  write("t10k-labels-idx1-ubyte", labels(3));
  const LoadedData data = load_data({.data = folder_.string()});
  EXPECT_EQ(data.classes, 4);
  EXPECT_EQ(data.train.rows, 9);
  EXPECT_EQ(data.train.inputs, 6);
  EXPECT_EQ(data.train.pixels[10], 70);
  EXPECT_EQ(data.train.labels[6], 2);
  EXPECT_EQ(data.test.rows, 3);
  EXPECT_FLOAT_EQ(data.input.scale, 1.0F / 255);
}

TEST_F(DataTest, RefusesDamagedIdx) {
  const DataOptions options{.data = folder_.string()};
  expect_refused(options, {"train-images-idx3-ubyte", folder_.string()});
  write("train-images-idx3-ubyte", images(9, 0x804));
  write("train-labels-idx1-ubyte", labels(9));
  expect_refused(options, {"train-images-idx3-ubyte", "0x00000804", "0x00000803"});
  write("train-images-idx3-ubyte", images(9).substr(0, 50));
  expect_refused(options, {"train-images-idx3-ubyte", "9 items", "34 bytes"});
  write("train-images-idx3-ubyte", images(9) + "x");
  expect_refused(options, {"train-images-idx3-ubyte", "55 bytes"});
  write("train-images-idx3-ubyte", images(8));
  expect_refused(options, {"train-labels-idx1-ubyte", "9 labels", "expected 8"});
  write("train-images-idx3-ubyte", "");
  expect_refused(options, {"train-images-idx3-ubyte", "empty"});
  std::filesystem::remove(path("train-images-idx3-ubyte"));
  write_gzip("train-images-idx3-ubyte.gz", images(9), 10);
  expect_refused(options, {"train-images-idx3-ubyte.gz", "truncated"});
}

TEST_F(DataTest, ReadsCsv) {
  const std::string file = write("table.csv", "a, \"y\" ,b\r\n1,2,3\r\n-4e1,5.5, 6\r\n\r\n");
  const LoadedData data = load_data({.data = file, .target = "y"});
  EXPECT_EQ(data.classes, 0);
  EXPECT_EQ(data.train.features, (std::vector<float>{1, 3, -40, 6}));
  EXPECT_EQ(data.train.targets, (std::vector<float>{2, 5.5}));
  const LoadedData two = load_data({.data = file, .target = "b,y"});
  EXPECT_EQ(two.train.targets, (std::vector<float>{3, 2, 6, 5.5}));
}

TEST_F(DataTest, RefusesBadCsvByLineAndColumn) {
  expect_csv_refused("a,y\n1,2\n1\n", {"table.csv", "line 3", "1 values for 2 columns"});
  expect_csv_refused("a,y\n1,2\n1,2x\n", {"table.csv", "line 3", "column y", "2x"});
  expect_csv_refused("a,y\n1,nan\n", {"line 2", "column y", "nan"});
  expect_csv_refused("a,y\n,1\n", {"line 2", "column a"});
  expect_csv_refused("a,b\n1,2\n", {"--target y", "a, b"});
  expect_csv_refused("a,y\n", {"no row"});
  expect_csv_refused("", {"empty"});
  expect_csv_refused("a,a,y\n1,2,3\n", {"line 1", "'a'", "twice"});
  expect_csv_refused("y\n1\n", {"no input column"});
  expect_refused({.data = write("table.csv", "a,y\n1,2\n")}, {"--target", "a, y"});
  expect_refused({.data = path("missing.csv"), .target = "y"}, {"missing.csv", "No such file"});
}

TEST_F(DataTest, RefusesUnknownSources) {
  expect_refused({.data = path("nothing")}, {"--data", "nothing", "synthetic:ROWS,IN,OUT"});
  for (const char* spec : {"synthetic:", "synthetic:1,2", "synthetic:0,1,1", "synthetic:1,2,3,4", "synthetic:-1,2,3",
                           "synthetic:9999999999,9999999999,1"}) {
    expect_refused({.data = spec}, {spec});
  }
}

TEST_F(DataTest, SyntheticIsAFunctionOfTheSeed) {
  const LoadedData data = load_data({.data = "synthetic:200,5,2", .seed = 3});
  EXPECT_EQ(data.train.rows, 200);
  EXPECT_EQ(data.test.rows, 20);
  EXPECT_EQ(data.train.features, load_data({.data = "synthetic:200,5,2", .seed = 3}).train.features);
  EXPECT_NE(data.train.features, load_data({.data = "synthetic:200,5,2", .seed = 4}).train.features);
  const LoadedData longer = load_data({.data = "synthetic:300,5,2", .seed = 3});
  EXPECT_TRUE(std::equal(data.train.targets.begin(), data.train.targets.end(), longer.train.targets.begin()));
}

TEST_F(DataTest, ValidationTakesRowsOut) {
  std::string text = "a,y\n";
  for (int i = 0; i < 10; ++i) text += fmt::format("{},{}\n", i, 10 * i);
  const std::string file = write("table.csv", text);
  const LoadedData data = load_data({.data = file, .target = "y", .validation = "0.3", .seed = 1});
  EXPECT_EQ(data.validation.rows, 3);
  EXPECT_EQ(data.train.rows, 7);
  std::vector<float> all = data.train.features;
  all.insert(all.end(), data.validation.features.begin(), data.validation.features.end());
  std::ranges::sort(all);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], static_cast<float>(i));
  EXPECT_EQ(data.validation.targets[0], 10 * data.validation.features[0]);
  for (const char* bad : {"0", "1", "1.5", "nan", "-0.1", "x"}) {
    expect_refused({.data = file, .target = "y", .validation = bad}, {"--validation"});
  }
  const LoadedData other = load_data({.data = file, .target = "y", .validation = file});
  EXPECT_EQ(other.validation.rows, 10);
  EXPECT_EQ(other.train.rows, 10);
}

TEST_F(DataTest, StandardizeUsesTheTrainingRows) {
  const std::string file = write("table.csv", "a,b,y\n1,5,0\n3,5,0\n5,5,0\n");
  const LoadedData data =
      load_data({.data = file, .target = "y", .standardize = true, .validation = write("v.csv", "a,b,y\n3,6,0\n")});
  const float deviation = std::sqrt(8.0F / 3);
  EXPECT_NEAR(data.train.features[0], -2 / deviation, 1e-6);
  EXPECT_EQ(data.train.features[1], 0);  // a constant column is centred only
  EXPECT_NEAR(data.validation.features[0], 0, 1e-6);
  EXPECT_NEAR(data.validation.features[1], 1, 1e-6);
}

TEST_F(DataTest, ClassesFromAColumn) {
  LoadedData data = load_data({.data = write("t.csv", "a,y\n1,0\n1,2\n"), .target = "y"});
  make_classes(data);
  EXPECT_EQ(data.classes, 3);
  EXPECT_EQ(data.train.labels, (std::vector<std::int32_t>{0, 2}));
  for (const char* bad : {"a,y\n1,0.5\n", "a,y\n1,-1\n", "a,y\n1,1e9\n"}) {
    LoadedData other = load_data({.data = write("t.csv", bad), .target = "y"});
    EXPECT_THROW(make_classes(other), InputError) << bad;
  }
}

TEST(FashionMnist, IsReadFromItsPackage) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) GTEST_SKIP() << "dataset-fashion-mnist is missing";
  const LoadedData data = load_data({});
  EXPECT_EQ(data.train.rows, 60000);
  EXPECT_EQ(data.test.rows, 10000);
  EXPECT_EQ(data.train.inputs, 784);
  EXPECT_EQ(data.classes, 10);
}

}  // namespace
}  // namespace recombine
