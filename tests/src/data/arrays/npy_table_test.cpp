#include "src/data/arrays/npy_table.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

/// 0, 1, 2 ... as the places of a matrix in C order.
std::vector<double> counted(std::size_t count) {
  std::vector<double> values(count);
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}

class NpyTableTest : public DataTest {
 protected:
  /// The elements in the order of the file. `descr`: an order and a code of f4, f8, and integers.
  std::string save(const std::string& name, const std::string& descr, const std::string& shape,
                   const std::vector<double>& values, const char* fortran = "False") const {
    const std::string literal =
        fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}\n", descr, fortran, shape);
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(literal.size());
    bytes += '\0' + literal;
    const int size = descr[2] - '0';
    for (const double x : values) {
      auto bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(descr[1] == 'f' ? 0 : x));
      if (descr.substr(1) == "f4") bits = std::bit_cast<std::uint32_t>(static_cast<float>(x));
      if (descr.substr(1) == "f8") bits = std::bit_cast<std::uint64_t>(x);
      std::string element;
      for (int b = 0; b < size; ++b) element += static_cast<char>(bits >> (8 * b) & 0xFF);
      if (descr[0] == '>') std::ranges::reverse(element);
      bytes += element;
    }
    return write(name, bytes);
  }
  DataSet load(DataOptions options = {}) const {
    options.data = path("X.npy");
    if (std::filesystem::exists(path("Y.npy"))) options.target_data = path("Y.npy");
    DataBudget budget(options.memory);
    return load_npy(options, budget);
  }
  void expect_npy_refused(const std::vector<std::string>& parts, const DataOptions& options = {}) const {
    try {
      load(options);
      FAIL() << "was accepted; expected " << parts.front();
    } catch (const InputError& error) {
      for (const std::string& part : parts) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what() << " lacks " << part;
      }
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
  static std::vector<float> values_of(const LoadedTable& table) {
    std::vector<float> values(static_cast<std::size_t>(table.rows * table.inputs));
    table.store->read(0, values);
    return values;
  }
};

TEST_F(NpyTableTest, RowsOfEveryTypeAreRead) {
  save("Y.npy", "<f4", "(4,)", {1.5, 2, -3, 4});
  const std::vector<float> expected = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  for (const char* descr :
       {"<f4", "<f8", ">f4", ">f8", "|i1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">i8", "<u8"}) {
    save("X.npy", descr, "(4, 3)", counted(12));
    DataSet set = load();
    EXPECT_EQ(values_of(set.data.train), expected) << descr;
    EXPECT_EQ(set.data.train.targets, (std::vector<float>{1.5, 2, -3, 4}));
    EXPECT_EQ(set.data.train.outputs, 1);
    EXPECT_EQ(set.data.classes, 0);
    EXPECT_EQ(set.data.name, "X.npy");
    save("X.npy", descr, "(4, 3)", {0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}, "True");
    EXPECT_EQ(values_of(load().data.train), expected) << descr << " in Fortran order";
  }
  save("X.npy", "|b1", "(4, 1)", {0, 1, 1, 0});
  EXPECT_EQ(values_of(load().data.train), (std::vector<float>{0, 1, 1, 0}));
}

TEST_F(NpyTableTest, ArraysOfMoreDimensionsHaveFlatRows) {
  save("Y.npy", "<f4", "(2, 1)", {1, 2});
  save("X.npy", "<f4", "(2, 2, 3)", counted(12));
  EXPECT_EQ(load().data.train.inputs, 6);
  EXPECT_EQ(values_of(load().data.train)[7], 7);
  save("X.npy", "<f4", "(2, 2, 3)", {0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11}, "True");
  EXPECT_EQ(values_of(load().data.train), (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  save("X.npy", "<i2", "(2, 2, 1, 3)", counted(12));
  EXPECT_EQ(load().data.train.inputs, 6);
}

TEST_F(NpyTableTest, BytesStayPixels) {
  save("Y.npy", "<f4", "(2,)", {1, 2});
  save("X.npy", "|u1", "(2, 2, 3)", {0, 1, 2, 3, 4, 255, 6, 7, 8, 9, 10, 11});
  const DataSet set = load();
  EXPECT_EQ(set.data.train.pixels, (std::vector<std::uint8_t>{0, 1, 2, 3, 4, 255, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(set.data.train.store, nullptr);
  EXPECT_FLOAT_EQ(set.data.input.scale, 1.0F / 255);
  save("X.npy", "|u1", "(2, 3)", {0, 3, 1, 4, 2, 255}, "True");
  EXPECT_EQ(load().data.train.pixels, (std::vector<std::uint8_t>{0, 1, 2, 3, 4, 255}));
}

TEST_F(NpyTableTest, LargeArraysAreKeptOnADisk) {
  std::vector<double> targets(5000);
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = static_cast<double>(i) / 2;
  save("Y.npy", "<f4", "(5000,)", targets);
  std::vector<double> values(50000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 251);
  for (const char* descr : {"<f4", "|u1", ">i2"}) {
    save("X.npy", descr, "(5000, 10)", values);
    const DataSet set = load({.memory = {.host_bytes = 90000}});
    ASSERT_NE(set.data.train.store, nullptr) << descr;
    EXPECT_EQ(set.data.train.store->place(), FeatureStore::Place::disk);
    EXPECT_TRUE(std::ranges::equal(values_of(set.data.train), values)) << descr;
    EXPECT_EQ(set.data.input.scale, descr == std::string("|u1") ? 1.0F / 255 : 1.0F);
    EXPECT_NE(set.notes.back().find("kept on a disk"), std::string::npos) << set.notes.back();
  }
}

TEST_F(NpyTableTest, IntegersAreClassesIfTheyAreFew) {
  save("X.npy", "<f4", "(4, 1)", counted(4));
  for (const char* descr : {"<i8", ">i4", "|i1", "<u2"}) {
    save("Y.npy", descr, "(4,)", {7, 3, 3, 100});
    const DataSet set = load();
    EXPECT_EQ(set.data.classes, 3);
    EXPECT_EQ(set.schema.classes, (std::vector<std::string>{"3", "7", "100"}));
    EXPECT_EQ(set.data.train.labels, (std::vector<std::int32_t>{1, 0, 0, 2}));
    EXPECT_NE(set.notes.at(0).find("3 different: classes (--loss mse for a regression)"), std::string::npos);
  }
  save("Y.npy", "|b1", "(4, 1)", {1, 0, 0, 1});
  EXPECT_EQ(load().schema.classes, (std::vector<std::string>{"0", "1"}));
  save("Y.npy", "<i8", "(4,)", {-1, 1, 1, -1});
  EXPECT_EQ(load().schema.classes, (std::vector<std::string>{"-1", "1"}));
  EXPECT_EQ(load({.answers = AnswerKind::numbers}).data.train.targets, (std::vector<float>{-1, 1, 1, -1}));
  save("Y.npy", "<i8", "(4, 2)", {1, 2, 3, 4, 5, 6, 7, 8});
  const DataSet two = load();
  EXPECT_EQ(two.data.classes, 0);
  EXPECT_EQ(two.data.train.outputs, 2);
  EXPECT_EQ(two.data.train.targets, (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(NpyTableTest, ManyIntegersAreARegression) {
  save("X.npy", "<f4", "(1001, 1)", counted(1001));
  save("Y.npy", "<i4", "(1001,)", counted(1001));
  EXPECT_EQ(load().data.classes, 0);
  EXPECT_NE(load().notes.at(0).find("more than 1000 different: a regression"), std::string::npos);
  EXPECT_EQ(load({.answers = AnswerKind::classes}).data.classes, 1001);
}

TEST_F(NpyTableTest, FloatsAreClassesOnlyIfTheLossSaysSo) {
  save("X.npy", "<f4", "(3, 1)", counted(3));
  save("Y.npy", "<f8", "(3,)", {0, 2, 0});
  const DataSet set = load();
  EXPECT_EQ(set.data.train.targets, (std::vector<float>{0, 2, 0}));
  EXPECT_NE(set.notes.at(0).find("--loss cross-entropy for classes"), std::string::npos);
  EXPECT_EQ(load({.answers = AnswerKind::classes}).schema.classes, (std::vector<std::string>{"0", "2"}));
  save("Y.npy", "<f8", "(3,)", {0, 2, 0.5});
  expect_npy_refused({"--target-data", "Y.npy: element [2] is 0.5; expected the whole number of a class", "--loss mse"},
                     {.answers = AnswerKind::classes});
  save("Y.npy", "<f8", "(3, 2)", {0, 2, 0, 1, 1, 1});
  expect_npy_refused({"Y.npy: has 2 columns; expected one, of classes"}, {.answers = AnswerKind::classes});
}

TEST_F(NpyTableTest, AModelsClassesAreKept) {
  save("X.npy", "<f4", "(3, 1)", counted(3));
  save("Y.npy", "<f8", "(3,)", {5, 2, 5});
  const TableSchema model{.targets = {{.name = "class"}}, .classes = {"2", "3", "5"}};
  const DataSet set = load({.schema = model});
  EXPECT_EQ(set.data.classes, 3);
  EXPECT_EQ(set.data.train.labels, (std::vector<std::int32_t>{2, 0, 2}));
  EXPECT_EQ(set.answers, Answers::present);
  expect_npy_refused({"Y.npy: element [0] is 5, which is no class of the model", "'2'"},
                     {.schema = TableSchema{.targets = {{.name = "class"}}, .classes = {"2", "3"}}});
  const TableSchema numbers{.targets = {{.name = "a"}}};
  EXPECT_EQ(load({.schema = numbers}).data.train.targets, (std::vector<float>{5, 2, 5}));
  std::filesystem::remove(path("Y.npy"));
  EXPECT_EQ(load({.schema = model}).answers, Answers::absent);
  EXPECT_EQ(load({.schema = model}).data.train.labels, (std::vector<std::int32_t>{0, 0, 0}));
  EXPECT_EQ(load({.schema = TableSchema{.targets = {{.name = "a"}, {.name = "b"}}}}).data.train.targets.size(), 6U);
}

TEST_F(NpyTableTest, WhatDoesNotFitIsRefused) {
  save("X.npy", "<f4", "(4, 3)", counted(12));
  expect_npy_refused({"--target-data: missing", "Y.npy with 4 rows"});
  save("Y.npy", "<f4", "(3,)", {1, 2, 3});
  expect_npy_refused({"--target-data", "Y.npy: has 3 rows; expected 4, as --data"});
  save("Y.npy", "<f4", "(4, 1, 1)", {1, 2, 3, 4});
  expect_npy_refused({"Y.npy: has 3 dimensions; expected [4], or [4,m] for m targets"});
  save("Y.npy", "<f4", "(4, 0)", {});
  expect_npy_refused({"Y.npy: has no columns"});
  save("Y.npy", "<i4", "(4,)", {1, 1, 1, 1});
  expect_npy_refused({"Y.npy: all labels are 1; expected at least two classes"});
  save("Y.npy", "<f4", "(4,)", {1, 2, std::nan(""), 4});
  expect_npy_refused({"Y.npy: element [2] is NaN in f32; expected finite numbers"});
  save("Y.npy", "<f8", "(4, 2)", {1, 2, 3, 4, 5, 6, 7, 1e300});
  expect_npy_refused({"Y.npy: element [3,1] is infinite in f32"});
  save("Y.npy", "<f4", "(4,)", {1, 2, 3, 4});
  save("X.npy", "<f4", "(4,)", counted(4));
  expect_npy_refused({"--data", "X.npy: has 1 dimension; expected 2 to 4", "save X.reshape(4, 1)"});
  save("X.npy", "<f4", "(0, 3)", {});
  expect_npy_refused({"X.npy: is [0,3]; expected at least one row and one input"});
  std::vector<double> values = counted(24);
  values[17] = std::nan("");
  save("X.npy", "<f4", "(4, 2, 3)", values);
  expect_npy_refused({"X.npy: element [2,1,2] is NaN in f32; expected finite numbers"});
  write("X.npy", "PK\x03\x04 and more of an archive");
  expect_npy_refused({"X.npy: is an .npz archive", "numpy.load('FILE.npz')['NAME']"});
}

}  // namespace
}  // namespace recombine
