#include <algorithm>
#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "src/data/load_data.hpp"
#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

TEST_F(DataTest, ReadsIdxPlainAndPacked) {
  write("train-images-idx3-ubyte", images(9));
  write_gzip("train-labels-idx1-ubyte.gz", labels(9));
  write_gzip("t10k-images-idx3-ubyte.gz", images(3));
  write("t10k-labels-idx1-ubyte", labels(3));
  const LoadedData data = load({.data = folder_.string()});
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
  write("train-images-idx3-ubyte", images(9, 0xA03));
  write("train-labels-idx1-ubyte", labels(9));
  expect_refused(options, {"train-images-idx3-ubyte", "0x00000a03", "0x00000803"});
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

TEST_F(DataTest, RefusesUnknownSources) {
  expect_refused({.data = path("nothing")}, {"--data", "nothing", "synthetic:ROWS,IN,OUT"});
  for (const char* spec : {"synthetic:", "synthetic:1,2", "synthetic:0,1,1", "synthetic:1,2,3,4", "synthetic:-1,2,3",
                           "synthetic:9999999999,9999999999,1"}) {
    expect_refused({.data = spec}, {spec});
  }
}

TEST_F(DataTest, SyntheticIsAFunctionOfTheSeed) {
  const LoadedData data = load({.data = "synthetic:200,5,2", .seed = 3});
  EXPECT_EQ(data.train.rows, 200);
  EXPECT_EQ(data.test.rows, 20);
  EXPECT_EQ(data.train.features, load({.data = "synthetic:200,5,2", .seed = 3}).train.features);
  EXPECT_NE(data.train.features, load({.data = "synthetic:200,5,2", .seed = 4}).train.features);
  const LoadedData longer = load({.data = "synthetic:300,5,2", .seed = 3});
  EXPECT_TRUE(std::equal(data.train.targets.begin(), data.train.targets.end(), longer.train.targets.begin()));
}

TEST_F(DataTest, FashionMnistIsReadFromItsPackage) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) GTEST_SKIP() << "dataset-fashion-mnist is missing";
  const LoadedData data = load({});
  EXPECT_EQ(data.train.rows, 60000);
  EXPECT_EQ(data.test.rows, 10000);
  EXPECT_EQ(data.train.inputs, 784);
  EXPECT_EQ(data.classes, 10);
}

}  // namespace
}  // namespace recombine
