#include "src/data/arrays/idx.hpp"

#include <bit>
#include <numeric>

#include <gtest/gtest.h>

#include "src/data/arrays/idx_files.hpp"
#include "src/data/arrays/idx_reader.hpp"
#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

using Shape = std::vector<std::uint32_t>;

class IdxTest : public DataTest {
 protected:
  static std::string header(std::uint32_t code, const Shape& shape) {
    std::string bytes = big_endian(code << 8 | static_cast<std::uint32_t>(shape.size()));
    for (const std::uint32_t extent : shape) bytes += big_endian(extent);
    return bytes;
  }
  /// The lowest `size` bytes of `bits`, the highest first.
  static std::string bytes_of(std::uint64_t bits, int size) {
    std::string bytes;
    for (int b = size - 1; b >= 0; --b) bytes += static_cast<char>(bits >> (8 * b) & 0xFF);
    return bytes;
  }
  /// Elements 0, 1, 2 ... of a type: its code in the format, and how it writes a number.
  template <class Encode>
  static std::string file_of(std::uint32_t code, const Shape& shape, const Encode& encode) {
    std::string bytes = header(code, shape);
    std::uint32_t count = 1;
    for (const std::uint32_t extent : shape) count *= extent;
    for (std::uint32_t i = 0; i < count; ++i) bytes += encode(i);
    return bytes;
  }
  static std::string bytes_file(const Shape& shape) {
    return file_of(0x08, shape, [](std::uint32_t i) { return bytes_of(i, 1); });
  }
  static std::string label_file(const std::vector<int>& labels) {
    return file_of(0x08, {static_cast<std::uint32_t>(labels.size())},
                   [&](std::uint32_t i) { return bytes_of(static_cast<std::uint64_t>(labels[i]), 1); });
  }
  DataSet load(const std::string& place, const DataOptions& options = {}) const {
    DataBudget budget(options.memory);
    return load_idx(place, options, budget);
  }
  DataSet load() const { return load(folder_.string()); }
  void expect_idx_refused(const std::string& place, const std::vector<std::string>& parts,
                          const DataOptions& options = {}) const {
    try {
      load(place, options);
      FAIL() << "was accepted; expected " << parts.front();
    } catch (const InputError& error) {
      for (const std::string& part : parts) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what() << " lacks " << part;
      }
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
  void clear() const {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  static std::vector<float> values_of(const LoadedTable& table) {
    std::vector<float> values(static_cast<std::size_t>(table.rows * table.inputs));
    table.store->read(0, values);
    return values;
  }
};

TEST_F(IdxTest, NamesOfEveryPublisherAreFound) {
  struct Publisher {
    std::string images, labels, test_images, test_labels;
  };
  for (const Publisher& names : std::vector<Publisher>{
           {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
           {"train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"},
           {"qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int", "qmnist-test-images-idx3-ubyte",
            "qmnist-test-labels-idx2-int"},
           {"emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte",
            "emnist-letters-test-images-idx3-ubyte", "emnist-letters-test-labels-idx1-ubyte"},
           {"My_Own.Train_Images_IDX3", "My_Own.Train_Labels_IDX1", "My_Own.Test_Images_IDX3",
            "My_Own.Test_Labels_IDX1"},
           {"train-vectors-idx2-float", "train-labels-idx1-ubyte", "test-vectors-idx2-float",
            "test-labels-idx1-ubyte"}}) {
    clear();
    write_gzip(names.images + ".gz", bytes_file({4, 2, 3}));
    write(names.labels, label_file({0, 1, 2, 1}));
    write(names.test_images, bytes_file({2, 2, 3}));
    write_gzip(names.test_labels + ".gz", label_file({2, 0}));
    write("emnist-letters-mapping.txt", "1 65 97\n");
    write("readme.idx", "");
    std::filesystem::create_directory(path("train-images-idx3-ubyte.gz.d"));
    const DataSet set = load();
    EXPECT_EQ(set.data.train.rows, 4) << names.images;
    EXPECT_EQ(set.data.train.inputs, 6);
    EXPECT_EQ(set.data.train.pixels[10], 10);
    EXPECT_EQ(set.data.train.labels, (std::vector<std::int32_t>{0, 1, 2, 1}));
    EXPECT_EQ(set.data.test.labels, (std::vector<std::int32_t>{2, 0}));
    EXPECT_FLOAT_EQ(set.data.input.scale, 1.0F / 255);
    EXPECT_EQ(idx_files(folder_.string()).size(), 4U);
  }
}

TEST_F(IdxTest, FoldersWithTheNamesOfFilesAreNoFiles) {
  std::filesystem::create_directory(path("train-images-idx3-ubyte"));  // as in Kaggle's archive
  write("train-images.idx3-ubyte", bytes_file({2, 2, 2}));
  write("train-labels.idx1-ubyte", label_file({0, 1}));
  EXPECT_EQ(load().data.train.rows, 2);
}

TEST_F(IdxTest, APlainFileComesBeforeAPackedOne) {
  write("train-images-idx3-ubyte", bytes_file({2, 2, 2}));
  write("train-images-idx3-ubyte.gz", "not read");
  write("train-labels-idx1-ubyte", label_file({0, 1}));
  EXPECT_EQ(load().data.train.rows, 2);
}

TEST_F(IdxTest, OneOfSeveralDataSetsIsChosenByItsPrefix) {
  for (const char* prefix : {"emnist-letters", "emnist-digits"}) {
    const std::uint32_t rows = prefix == std::string("emnist-digits") ? 3 : 2;
    write(std::string(prefix) + "-train-images-idx3-ubyte", bytes_file({rows, 2, 2}));
    write(std::string(prefix) + "-train-labels-idx1-ubyte",
          label_file(rows == 3 ? std::vector{0, 1, 1} : std::vector{1, 2}));
  }
  expect_idx_refused(folder_.string(), {"the data sets emnist-digits, emnist-letters;",
                                        "expected one of them, such as --data " + path("emnist-digits")});
  const DataSet set = load(path("emnist-digits"));
  EXPECT_EQ(set.data.train.rows, 3);
  EXPECT_EQ(set.data.name, "emnist-digits");
  EXPECT_TRUE(is_idx_place(path("emnist-letters")));
  EXPECT_TRUE(is_idx_place(folder_.string()));
  EXPECT_FALSE(is_idx_place(path("emnist")));
  EXPECT_FALSE(is_idx_place(path("no/such")));
  write("train-images-idx3-ubyte", bytes_file({5, 2, 2}));
  write("train-labels-idx1-ubyte", label_file({0, 1, 1, 0, 1}));
  EXPECT_EQ(load().data.train.rows, 5) << "MNIST's own names have no prefix to choose them by";
}

TEST_F(IdxTest, MissingFilesAreNamed) {
  expect_idx_refused(folder_.string(), {"has no IDX files", "train-images-idx3-ubyte", "train-labels-idx1-ubyte"});
  write("emnist-letters-train-images-idx3-ubyte", bytes_file({2, 2, 2}));
  expect_idx_refused(folder_.string(), {"no labels emnist-letters-train-labels-idx1-ubyte"});
  write("emnist-letters-train-labels-idx1-ubyte", label_file({1, 2}));
  write("emnist-letters-test-labels-idx1-ubyte", label_file({1, 2}));
  expect_idx_refused(folder_.string(), {"no images emnist-letters-test-images-idx3-ubyte"});
  clear();
  write("t10k-images-idx3-ubyte", bytes_file({2, 2, 2}));
  expect_idx_refused(folder_.string(), {"no training images", "train-images-idx3-ubyte"});
}

TEST_F(IdxTest, LabelsWithGapsAreClasses) {
  write("train-images-idx3-ubyte", bytes_file({5, 2, 2}));
  write("train-labels-idx1-ubyte", label_file({26, 1, 7, 7, 26}));
  const DataSet set = load();
  EXPECT_EQ(set.schema.classes, (std::vector<std::string>{"1", "7", "26"}));
  EXPECT_EQ(set.data.classes, 3);
  EXPECT_EQ(set.data.train.labels, (std::vector<std::int32_t>{2, 0, 1, 1, 2}));
  const TableSchema model{.classes = {"1", "2", "7", "26"}};
  EXPECT_EQ(load(folder_.string(), {.schema = model}).data.train.labels, (std::vector<std::int32_t>{3, 0, 2, 2, 3}));
  expect_idx_refused(folder_.string(), {"train-labels-idx1-ubyte: a label is 26", "a class of the model"},
                     {.schema = TableSchema{.classes = {"1", "7"}}});
  write("t10k-images-idx3-ubyte", bytes_file({1, 2, 2}));
  write("t10k-labels-idx1-ubyte", label_file({3}));
  expect_idx_refused(folder_.string(), {"t10k-labels-idx1-ubyte: a label is 3; expected one of the training labels"});
  write("train-labels-idx1-ubyte", label_file({4, 4, 4, 4, 4}));
  expect_idx_refused(folder_.string(), {"all labels are 4; expected at least two classes"});
}

TEST_F(IdxTest, TheFirstColumnOfQmnistIsTheLabel) {
  write("qmnist-train-images-idx3-ubyte", bytes_file({3, 2, 2}));
  const std::vector<int> labels = {5, 0, 5};
  write("qmnist-train-labels-idx2-int", file_of(0x0C, {3, 8}, [&](std::uint32_t i) {
          return bytes_of(i % 8 == 0 ? static_cast<std::uint64_t>(labels[i / 8]) : 70000 + i, 4);
        }));
  const DataSet set = load();
  EXPECT_EQ(set.data.train.labels, (std::vector<std::int32_t>{1, 0, 1}));
  EXPECT_EQ(set.notes.size(), 1U);
  EXPECT_NE(set.notes[0].find("the first of 8 columns is the label"), std::string::npos);
  write("qmnist-train-labels-idx2-int",
        file_of(0x0B, {3}, [](std::uint32_t i) { return bytes_of(~std::uint64_t{i}, 2); }));
  EXPECT_EQ(load().schema.classes, (std::vector<std::string>{"-3", "-2", "-1"}));
}

TEST_F(IdxTest, OtherTypesBecomeF32) {
  write("train-labels-idx1-ubyte", label_file({0, 1}));
  std::vector<float> expected(24);
  std::iota(expected.begin(), expected.end(), 0.0F);
  const auto as_float = [](std::uint32_t i) {
    return bytes_of(std::bit_cast<std::uint32_t>(static_cast<float>(i)), 4);
  };
  const auto as_double = [](std::uint32_t i) {
    return bytes_of(std::bit_cast<std::uint64_t>(static_cast<double>(i)), 8);
  };
  for (const Shape& shape : {Shape{2, 12}, Shape{2, 3, 4}, Shape{2, 2, 3, 2}}) {
    for (const std::string& bytes : {file_of(0x09, shape, [](std::uint32_t i) { return bytes_of(i, 1); }),
                                     file_of(0x0B, shape, [](std::uint32_t i) { return bytes_of(i, 2); }),
                                     file_of(0x0C, shape, [](std::uint32_t i) { return bytes_of(i, 4); }),
                                     file_of(0x0D, shape, as_float), file_of(0x0E, shape, as_double)}) {
      write("train-images-idx3-ubyte", bytes);
      const DataSet set = load();
      EXPECT_EQ(set.data.train.inputs, 12);
      EXPECT_TRUE(set.data.train.pixels.empty());
      EXPECT_EQ(values_of(set.data.train), expected);
      EXPECT_EQ(set.data.input.scale, 1);
    }
    write("train-images-idx3-ubyte", bytes_file(shape));
    EXPECT_EQ(load().data.train.pixels.size(), 24U) << "colour images too";
  }
}

TEST_F(IdxTest, DamagedFilesAreRefused) {
  write("train-images-idx3-ubyte", bytes_file({9, 2, 3}));
  write("train-labels-idx1-ubyte", label_file({0, 1, 2, 3, 4, 5, 6, 7}));
  expect_idx_refused(folder_.string(), {"train-labels-idx1-ubyte: holds 8 labels; expected 9", "train-images"});
  write("train-labels-idx1-ubyte", label_file({0, 1, 2, 3, 4, 5, 6, 7, 8}));
  const auto images = [&](const std::string& bytes, const std::vector<std::string>& parts) {
    write("train-images-idx3-ubyte", bytes);
    expect_idx_refused(folder_.string(), parts);
  };
  const std::string good = bytes_file({9, 2, 3});
  images(good.substr(0, 50), {"holds 34 bytes after its header; expected 9 items of 2 x 3 bytes"});
  images(good + "x", {"holds 55 bytes"});
  images(good.substr(0, 11), {"has 11 bytes; expected an IDX file, whose header is longer"});
  images(good.substr(0, 3), {"has 3 bytes"});
  images("", {"empty"});
  images(header(0x08, {9, 0, 3}), {"holds no items"});
  images(header(0x0A, {9, 2, 3}), {"magic number 0x00000a03; expected 0x00000803"});
  images(header(0x08, {1, 1, 1, 1, 9}), {"magic number 0x00000805"});
  images(header(0x08, {}) + "xxxx", {"magic number 0x00000800"});
  images("\x93NUMPY\x01", {"magic number"});
  images(header(0x0D, {4294967295, 4294967295, 4294967295}),
         {"expected 4294967295 items of 4294967295 x 4294967295 x 4 bytes"});
  images(bytes_file({9}), {"1 dimension; expected images"});
  images(file_of(0x0D, {9, 2}, [](std::uint32_t i) { return bytes_of(i == 5 ? 0x7FC00000 : 0, 4); }),
         {"element [2,1] is NaN in f32"});
  write("train-images-idx3-ubyte", good);
  write("train-labels-idx1-ubyte", file_of(0x0D, {9}, [](std::uint32_t) { return bytes_of(0, 4); }));
  expect_idx_refused(folder_.string(), {"train-labels-idx1-ubyte: holds floats; expected labels"});
  std::filesystem::remove(path("train-images-idx3-ubyte"));
  write("train-labels-idx1-ubyte", label_file({0, 1, 2, 3, 4, 5, 6, 7, 8}));
  write_gzip("train-images-idx3-ubyte.gz", good, 10);
  expect_idx_refused(folder_.string(), {"train-images-idx3-ubyte.gz", "truncated"});
}

TEST_F(IdxTest, TestImagesHaveTheShapeOfTrainingImages) {
  write("train-images-idx3-ubyte", bytes_file({2, 2, 3}));
  write("train-labels-idx1-ubyte", label_file({0, 1}));
  write("t10k-images-idx3-ubyte", bytes_file({2, 3, 2}));
  write("t10k-labels-idx1-ubyte", label_file({0, 1}));
  expect_idx_refused(folder_.string(), {"test images are 3 x 2; expected 2 x 3"});
  write("t10k-images-idx3-ubyte", file_of(0x09, {2, 2, 3}, [](std::uint32_t i) { return bytes_of(i, 1); }));
  expect_idx_refused(folder_.string(), {"expected one type"});
}

TEST_F(IdxTest, LargeFloatsAreKeptOnADisk) {
  const auto as_float = [](std::uint32_t i) {
    return bytes_of(std::bit_cast<std::uint32_t>(static_cast<float>(i)), 4);
  };
  write("train-images-idx2-float", file_of(0x0D, {100, 50}, as_float));
  std::vector<int> labels(100, 1);
  labels[3] = 0;
  write("train-labels-idx1-ubyte", label_file(labels));
  const DataSet set = load(folder_.string(), {.memory = {.host_bytes = 30000}});
  EXPECT_EQ(set.data.train.store->place(), FeatureStore::Place::disk);
  EXPECT_EQ(values_of(set.data.train)[4999], 4999.0F);
  EXPECT_EQ(set.notes.size(), 1U);
}

}  // namespace
}  // namespace recombine
