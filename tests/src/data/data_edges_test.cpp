#include <algorithm>
#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include "src/data/load_data.hpp"
#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

TEST_F(DataTest, RefusesGzipCutAnywhere) {
  write_gzip("table.csv.gz", "a,y\n1,2\n3,4\n");
  EXPECT_EQ(load_data({.data = path("table.csv.gz"), .target = "y"}).train.features, (std::vector<float>{1, 3}));
  const std::size_t size = std::filesystem::file_size(path("table.csv.gz"));
  for (std::size_t cut = 1; cut + 2 <= size; ++cut) {  // the first two bytes mark a gzip file
    write_gzip("table.csv.gz", "a,y\n1,2\n3,4\n", cut);
    SCOPED_TRACE(cut);
    expect_refused({.data = path("table.csv.gz"), .target = "y"}, {"table.csv.gz", "truncated or damaged gzip"});
  }
}

TEST_F(DataTest, RefusesDamagedGzip) {
  write_gzip("table.csv.gz", "a,y\n1,2\n3,4\n");
  std::fstream file(path("table.csv.gz"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-8, std::ios::end);  // the checksum
  file.put('x').put('x');
  file.close();
  expect_refused({.data = path("table.csv.gz"), .target = "y"}, {"table.csv.gz", "truncated or damaged gzip"});
}

TEST_F(DataTest, RefusesAFolderForAFile) {
  std::filesystem::create_directory(path("table.csv"));
  expect_refused({.data = path("table.csv"), .target = "y"}, {"table.csv", "is a folder; expected a regular file"});
}

TEST_F(DataTest, RefusesANameTooLongForAFile) {
  const std::string name(300, 'x');
  expect_refused({.data = name}, {"--data " + name, "no such folder"});
}

TEST_F(DataTest, RefusesIdxWithoutItems) {
  const DataOptions options{.data = folder_.string()};
  write("train-labels-idx1-ubyte", labels(1));
  write("train-images-idx3-ubyte", images(0));
  expect_refused(options, {"train-images-idx3-ubyte", "no items"});
  write("train-images-idx3-ubyte", big_endian(0x803) + big_endian(1) + big_endian(0) + big_endian(3));
  expect_refused(options, {"train-images-idx3-ubyte", "no items"});
  const std::string huge = big_endian(0xFFFFFFFF);
  write("train-images-idx3-ubyte", big_endian(0x803) + huge + huge + huge);
  expect_refused(options, {"train-images-idx3-ubyte", "4294967295 items", "0 bytes"});
  write("train-images-idx3-ubyte", "\x08");
  expect_refused(options, {"train-images-idx3-ubyte", "1 bytes"});
}

TEST_F(DataTest, RefusesTestImagesOfAnotherShape) {
  write("train-images-idx3-ubyte", images(4));
  write("train-labels-idx1-ubyte", labels(4));
  write("t10k-labels-idx1-ubyte", labels(1));
  expect_refused({.data = folder_.string()}, {"t10k-images-idx3-ubyte"});  // labels alone
  const std::string pixels(6, '\1');
  write("t10k-images-idx3-ubyte", big_endian(0x803) + big_endian(1) + big_endian(3) + big_endian(2) + pixels);
  expect_refused({.data = folder_.string()}, {"--data", "3 x 2", "2 x 3"});
  write("t10k-images-idx3-ubyte", images(1));
  EXPECT_EQ(load_data({.data = folder_.string()}).test.rows, 1);
}

TEST_F(DataTest, RefusesTestLabelsThatTrainingLacks) {
  write("train-images-idx3-ubyte", images(2));
  write("train-labels-idx1-ubyte", labels(2));
  write("t10k-images-idx3-ubyte", images(4));
  write("t10k-labels-idx1-ubyte", labels(4));
  expect_refused({.data = folder_.string()}, {"--data", "test label is 3", "expected at most 1"});
}

TEST_F(DataTest, NamesAFolderWithASlashAtItsEnd) {
  write("train-images-idx3-ubyte", images(2));
  write("train-labels-idx1-ubyte", labels(2));
  EXPECT_EQ(load_data({.data = folder_.string() + "/"}).name, folder_.filename().string());
}

TEST_F(DataTest, SplitsAndStandardizesPixels) {
  write("train-images-idx3-ubyte", images(40));
  write("train-labels-idx1-ubyte", labels(40));
  const LoadedData data = load_data({.data = folder_.string(), .standardize = true, .validation = "0.25", .seed = 2});
  EXPECT_EQ(data.train.rows, 30);
  EXPECT_EQ(data.train.labels.size(), 30U);
  EXPECT_EQ(data.validation.pixels.size(), 60U);
  double sum = 0;
  double squares = 0;
  for (const std::uint8_t pixel : data.train.pixels) {
    const double x = pixel * data.input.scale + data.input.shift;
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 180, 0, 1e-5);
  EXPECT_NEAR(squares / 180, 1, 1e-5);
}

TEST_F(DataTest, ConstantPixelsAreOnlyCentred) {
  const std::string pixels(12, '\7');
  write("train-images-idx3-ubyte", big_endian(0x803) + big_endian(2) + big_endian(2) + big_endian(3) + pixels);
  write("train-labels-idx1-ubyte", labels(2));
  const LoadedData data = load_data({.data = folder_.string(), .standardize = true});
  EXPECT_FLOAT_EQ(data.input.scale, 1.0F / 255);
  EXPECT_NEAR(7 * data.input.scale + data.input.shift, 0, 1e-7);
}

TEST_F(DataTest, ValidationOfIdxIsAFraction) {
  write("train-images-idx3-ubyte", images(4));
  write("train-labels-idx1-ubyte", labels(4));
  for (const std::string& file : {path("v.csv"), folder_.string()}) {
    expect_refused({.data = folder_.string(), .validation = file}, {"--validation " + file, "fraction"});
  }
  for (const char* bad : {"0", "1", "nan", "-0.1", "0.1x"}) {
    expect_refused({.data = folder_.string(), .validation = bad}, {std::string("--validation ") + bad, "fraction"});
  }
}

TEST_F(DataTest, ValidationFileHasTheSameColumns) {
  const std::string file = write("table.csv", "a,b,y\n1,2,3\n");
  const std::string swapped = write("v.csv", "b,a,y\n2,1,3\n");
  expect_refused({.data = file, .target = "y", .validation = swapped},
                 {"--validation", "v.csv", "line 1", "'b'", "'a'", "table.csv"});
  const std::string fewer = write("w.csv", "a,y\n2,3\n");
  expect_refused({.data = file, .target = "y", .validation = fewer}, {"--validation", "w.csv", "1", "2"});
  const std::string moved = write("u.csv", "y,a,b\n3,1,2\n");  // the target may be in another column
  const LoadedData data = load_data({.data = file, .target = "y", .validation = moved});
  EXPECT_EQ(data.validation.features, data.train.features);
  EXPECT_EQ(data.validation.targets, data.train.targets);
}

TEST_F(DataTest, CommasInsideQuotesAreText) {
  const std::string file = write("table.csv", "\"size, in m\",y\n\"1\",2\n");
  EXPECT_EQ(load_data({.data = file, .target = "y"}).train.features, std::vector<float>{1});
  EXPECT_EQ(load_data({.data = file, .target = "\"size, in m\""}).train.targets, std::vector<float>{1});
}

TEST_F(DataTest, TinyNumbersBecomeZeroAndHugeOnesAreRefused) {
  const std::string file = write("table.csv", "a,y\n1e-60,-1e-60\n");
  EXPECT_EQ(load_data({.data = file, .target = "y"}).train.features, std::vector<float>{0});
  expect_csv_refused("a,y\n1,1e39\n", {"line 2", "column y", "1e39"});
  expect_csv_refused("a,y\n1,inf\n", {"line 2", "column y", "inf"});
}

TEST_F(DataTest, SyntheticTestRowsFollowTheTrainingRows) {
  const LoadedData data = load_data({.data = "synthetic:200,5,2", .seed = 3});
  const LoadedData longer = load_data({.data = "synthetic:220,5,2", .seed = 3});
  EXPECT_TRUE(
      std::equal(data.test.features.begin(), data.test.features.end(), longer.train.features.begin() + 200 * 5));
  EXPECT_TRUE(std::equal(data.test.targets.begin(), data.test.targets.end(), longer.train.targets.begin() + 200 * 2));
  EXPECT_EQ(load_data({.data = "synthetic:3,1,1"}).test.rows, 1);
  const auto [least, most] = std::ranges::minmax(longer.train.features);
  EXPECT_TRUE(least >= -1 && least < -0.9 && most < 1 && most > 0.9) << least << " .. " << most;
}

}  // namespace
}  // namespace recombine
