#include <algorithm>
#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include "src/data/load_data.hpp"
#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

TEST_F(DataTest, RefusesGzipCutAnywhere) {
  write_gzip("table.csv.gz", "a,y\n1,2\n3,4.5\n");
  EXPECT_EQ(features_of(load({.data = path("table.csv.gz"), .target = "y", .standardize = Standardize::no}).train),
            (std::vector<float>{1, 3}));
  const std::size_t size = std::filesystem::file_size(path("table.csv.gz"));
  for (std::size_t cut = 1; cut + 2 <= size; ++cut) {  // the first two bytes mark a gzip file
    write_gzip("table.csv.gz", "a,y\n1,2\n3,4.5\n", cut);
    SCOPED_TRACE(cut);
    expect_refused({.data = path("table.csv.gz"), .target = "y"}, {"table.csv.gz", "truncated or damaged gzip"});
  }
}

/// Compressed text begins as any other: with a byte order mark, or in UTF-16.
TEST_F(DataTest, CompressedTextMayHaveAByteOrderMark) {
  const std::string table = "sep=;\n\"a\";y\n1;2\n3;4.5\n", mark = "\xEF\xBB\xBF";
  std::string wide = "\xFF\xFE";
  for (const char c : table) wide += std::string{c, '\0'};
  for (const std::string& bytes : {mark + table, mark + mark + table, wide}) {
    write_gzip("table.csv.gz", bytes);
    const DataSet set = load_data({.data = path("table.csv.gz"), .target = "y", .standardize = Standardize::no});
    ASSERT_EQ(set.schema.inputs.size(), 1U);
    EXPECT_EQ(set.schema.inputs[0].name, "a");
    EXPECT_EQ(features_of(set.data.train), (std::vector<float>{1, 3}));
  }
}

TEST_F(DataTest, RefusesDamagedGzip) {
  write_gzip("table.csv.gz", "a,y\n1,2\n3,4.5\n");
  std::fstream file(path("table.csv.gz"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-8, std::ios::end);  // the checksum
  file.put('x').put('x');
  file.close();
  expect_refused({.data = path("table.csv.gz"), .target = "y"}, {"table.csv.gz", "truncated or damaged gzip"});
}

TEST_F(DataTest, RefusesAFolderForAFile) {
  std::filesystem::create_directory(path("table.csv"));
  expect_refused({.data = path("table.csv")}, {"--data", "table.csv", "train-images"});
}

TEST_F(DataTest, RefusesANameTooLongForAFile) {
  const std::string name(300, 'x');
  expect_refused({.data = name}, {"--data " + name, "no such file or folder"});
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
  EXPECT_EQ(load({.data = folder_.string()}).test.rows, 1);
}

TEST_F(DataTest, RefusesTestLabelsThatTrainingLacks) {
  write("train-images-idx3-ubyte", images(2));
  write("train-labels-idx1-ubyte", labels(2));
  write("t10k-images-idx3-ubyte", images(4));
  write("t10k-labels-idx1-ubyte", labels(4));
  expect_refused({.data = folder_.string()},
                 {"t10k-labels-idx1-ubyte: a label is 2; expected one of the training labels"});
}

TEST_F(DataTest, NamesAFolderWithASlashAtItsEnd) {
  write("train-images-idx3-ubyte", images(2));
  write("train-labels-idx1-ubyte", labels(2));
  EXPECT_EQ(load({.data = folder_.string() + "/"}).name, folder_.filename().string());
}

TEST_F(DataTest, SplitsAndStandardizesPixels) {
  write("train-images-idx3-ubyte", images(40));
  write("train-labels-idx1-ubyte", labels(40));
  const LoadedData data =
      load({.data = folder_.string(), .standardize = Standardize::yes, .validation = "0.25", .seed = 2});
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
  const LoadedData data = load({.data = folder_.string(), .standardize = Standardize::yes});
  EXPECT_FLOAT_EQ(data.input.scale, 1.0F / 255);
  EXPECT_NEAR(7 * data.input.scale + data.input.shift, 0, 1e-7);
}

TEST_F(DataTest, ValidationOfIdxIsAFraction) {
  write("train-images-idx3-ubyte", images(4));
  write("train-labels-idx1-ubyte", labels(4));
  for (const std::string& text : {path("v.csv"), folder_.string(), std::string("0"), std::string("1"),
                                  std::string("nan"), std::string("-0.1"), std::string("0.1x")}) {
    expect_refused({.data = folder_.string(), .validation = text}, {"--validation " + text, "fraction"});
    expect_refused({.data = folder_.string(), .test = text}, {"--test " + text, "fraction"});
  }
}

TEST_F(DataTest, SyntheticTestRowsFollowTheTrainingRows) {
  const LoadedData data = load({.data = "synthetic:200,5,2", .seed = 3});
  const LoadedData longer = load({.data = "synthetic:220,5,2", .seed = 3});
  EXPECT_TRUE(
      std::equal(data.test.features.begin(), data.test.features.end(), longer.train.features.begin() + 200 * 5));
  EXPECT_TRUE(std::equal(data.test.targets.begin(), data.test.targets.end(), longer.train.targets.begin() + 200 * 2));
  EXPECT_EQ(load({.data = "synthetic:3,1,1"}).test.rows, 1);
  const auto [least, most] = std::ranges::minmax(longer.train.features);
  EXPECT_TRUE(least >= -1 && least < -0.9 && most < 1 && most > 0.9) << least << " .. " << most;
}

}  // namespace
}  // namespace recombine
