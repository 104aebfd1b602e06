#include "src/nn/feature_store.hpp"

#include <array>
#include <cstdlib>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kRows = 3000;
constexpr std::int64_t kCols = 7;

/// A store whose element (r, c) is r * kCols + c.
FeatureStore counted(FeatureStore::Place place, std::int64_t rows = kRows) {
  FeatureStore store("numbers.csv", place, rows, kCols);
  std::vector<float> values(static_cast<std::size_t>(rows * kCols));
  std::iota(values.begin(), values.end(), 0.0F);
  store.write(0, values);
  return store;
}

void expect_rows(const FeatureStore& store, const std::vector<std::int64_t>& rows) {
  std::vector<float> found(rows.size() * kCols, -1);
  store.read_rows(rows, found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto row = static_cast<float>(rows[i / kCols]);
    ASSERT_EQ(found[i], row * kCols + static_cast<float>(i % kCols))
        << "row " << row << ", read as number " << i / kCols;
  }
}

class FeatureStoreTest : public ::testing::TestWithParam<FeatureStore::Place> {};

TEST_P(FeatureStoreTest, ReadsRowsInAnyOrder) {
  const FeatureStore store = counted(GetParam());
  expect_rows(store, {});
  expect_rows(store, {kRows - 1});
  expect_rows(store, {5, 3, 4, 4, 2999, 0, 1, 2, 17, 5});
  std::vector<std::int64_t> all(kRows);  // more neighbours than one call reads
  std::iota(all.begin(), all.end(), 0);
  expect_rows(store, all);
  for (std::int64_t i = 0; i < kRows; ++i) all[static_cast<std::size_t>(i)] = i * 1237 % kRows;
  expect_rows(store, all);
}

TEST_P(FeatureStoreTest, VisitsPartsInOrder) {
  static constexpr std::int64_t kMany = 700'000;  // 20 MB: two parts
  const FeatureStore store = counted(GetParam(), kMany);
  store.for_each_part([](std::int64_t first, MatrixView rows) {
    for (std::int64_t i = 0; i < rows.rows * rows.cols; ++i) rows.as<float>()[i] = static_cast<float>(first % 5 + 1);
  });
  std::int64_t seen = 0;
  int parts = 0;
  store.read_parts([&](std::int64_t first, ConstMatrixView rows) {
    EXPECT_EQ(first, seen);
    EXPECT_EQ(rows.cols, kCols);
    EXPECT_EQ(rows.as<float>()[0], static_cast<float>(first % 5 + 1));
    seen += rows.rows;
    ++parts;
  });
  EXPECT_EQ(seen, kMany);
  EXPECT_GE(parts, 2);
}

TEST_P(FeatureStoreTest, AMissingFileIsAnErrorThatNamesTheSource) {
  const FeatureStore store("numbers.csv", GetParam(), kRows, kCols, FileDescriptor());
  std::array<float, kCols> row{};
  const std::array<std::int64_t, 1> first{0};
  try {
    store.read_rows(first, row);
    FAIL() << "read rows of no file";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).rfind("numbers.csv: ", 0), 0U) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Places, FeatureStoreTest,
                         ::testing::Values(FeatureStore::Place::memory, FeatureStore::Place::disk));

TEST(FeatureStore, AFolderThatCannotBeUsedIsNamed) {
  const char* const before = std::getenv("TMPDIR");
  const std::string old = before != nullptr ? before : "";
  setenv("TMPDIR", "/proc/no/such/folder", 1);
  try {
    const FeatureStore store("numbers.csv", FeatureStore::Place::disk, 2, 2);
    ADD_FAILURE() << "made a file in no folder";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("numbers.csv: no temporary file can be made in /proc/no/such/folder"),
              std::string::npos)
        << error.what();
  }
  before != nullptr ? setenv("TMPDIR", old.c_str(), 1) : unsetenv("TMPDIR");
}

}  // namespace
}  // namespace recombine
