#include <gtest/gtest.h>

#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

const DataMemory kAny{.growth = Growth::any};

#ifdef __SANITIZE_ADDRESS__
constexpr double kShadow = 1.0 / 8;  // bytes that AddressSanitizer writes for each byte that is reserved
#else
constexpr double kShadow = 0;
#endif

/// The growth of this process's memory from the constructor to its peak.
class PeakMemory {
 public:
  PeakMemory() { std::ofstream("/proc/self/clear_refs") << "5"; }  // resets the kernel's record of the peak
  double bytes() const { return read("VmHWM:") - start_; }

 private:
  static double read(const std::string& key) {
    std::ifstream file("/proc/self/status");
    for (std::string word; file >> word;) {
      double kib = 0;
      if (word == key && file >> kib) return 1024 * kib;
    }
    return 0;
  }
  double start_ = read("VmRSS:");
};

class UnpackedTest : public DataTest {
 protected:
  DataOptions csv(const std::string& name, const DataMemory& memory = {}) const {
    return {.data = path(name),
            .target = "y",
            .standardize = Standardize::no,
            .answers = AnswerKind::numbers,
            .memory = memory};
  }
  /// A valid pair of files: images of 28 x 28, all zeros, compressed to about 1/1000, and as many labels.
  DataOptions write_blank_images(std::uint32_t count, const DataMemory& memory = {}) const {
    const std::string header = big_endian(0x803) + big_endian(count) + big_endian(28) + big_endian(28);
    const std::string zeros(784, '\0');
    gzFile file = gzopen(path("train-images-idx3-ubyte.gz").c_str(), "wb");
    gzwrite(file, header.data(), static_cast<unsigned>(header.size()));
    for (std::uint32_t i = 0; i < count; ++i) gzwrite(file, zeros.data(), 784);
    gzclose(file);
    write("train-labels-idx1-ubyte", labels(count));
    return {.data = folder_.string(), .memory = memory};
  }
  std::string repeated(const std::string& line, int times) const {
    std::string text = "a,y\n1,0.5\n";
    for (int i = 0; i < times; ++i) text += line;
    return text;
  }
  std::string bytes_of(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_F(UnpackedTest, RefusesMoreThanAThousandTimesTheFile) {
  write_gzip("same.csv.gz", repeated("11111111,22222222\n", 100000));  // grows by less than 1,000 times
  EXPECT_EQ(load(csv("same.csv.gz", kAny)).train.rows, 100001);
  write_gzip("zeros.csv.gz", "a,y\n1," + std::string(4 << 20, '0') + "\n");
  expect_refused(csv("zeros.csv.gz"), {"zeros.csv.gz", "1000 times", "--memory-limit"});
  expect_refused(write_blank_images(5000), {"train-images-idx3-ubyte.gz", "1000 times", "--memory-limit"});
  EXPECT_EQ(load(write_blank_images(5000, kAny)).train.rows, 5000);
}

TEST_F(UnpackedTest, RefusesTheSizeInAHeaderBeforeItAllocates) {
  const PeakMemory peak;
  write_gzip("train-images-idx3-ubyte.gz", big_endian(0x803) + big_endian(4000000) + big_endian(28) + big_endian(28));
  write("train-labels-idx1-ubyte", labels(4000000));
  expect_refused({.data = folder_.string()}, {"train-images-idx3-ubyte.gz", "1000 times"});
  expect_refused({.data = folder_.string(), .memory = {.host_bytes = 1e9, .growth = Growth::any}},
                 {"train-images-idx3-ubyte.gz", "its memory allows 954 MiB"});
  expect_refused({.data = folder_.string(), .memory = kAny}, {"4000000 items", "holds 0 bytes"});
  EXPECT_LT(peak.bytes(), 100e6 + kShadow * 4e6 * 28 * 28);  // space is reserved for the items, but not touched
}

TEST_F(UnpackedTest, RefusesMoreThanTheHostsMemory) {
  const DataMemory little{.host_bytes = 3 << 20};
  expect_refused({.data = "synthetic:100000,4,2", .memory = little},
                 {"--data synthetic:100000,4,2", "its memory allows 3 MiB"});
  EXPECT_EQ(load({.data = "synthetic:1000,4,2", .memory = little}).train.rows, 1000);
  write("table.csv", repeated("3,2\n", 600000));
  expect_refused(csv("table.csv", little), {"table.csv", "its memory allows 3 MiB"});  // its targets
  expect_refused(write_blank_images(5000, {.host_bytes = 3 << 20, .growth = Growth::any}),
                 {"train-images-idx3-ubyte.gz", "at least 7840000 bytes (7.48 MiB)"});
}

TEST_F(UnpackedTest, RowsThatDoNotFitHalfOfTheMemoryLieOnADisk) {
  write("table.csv", repeated("3,2\n", 300000));
  for (const auto& [mib, place] : {std::pair(3, FeatureStore::Place::disk), {16, FeatureStore::Place::memory}}) {
    const LoadedData data = load(csv("table.csv", {.host_bytes = static_cast<double>(mib << 20)}));
    EXPECT_EQ(data.train.store->place(), place) << mib;
    EXPECT_EQ(data.train.rows, 300001);
    EXPECT_EQ(features_of(data.train)[300000], 3);
  }
}

TEST_F(UnpackedTest, CompressedDataNeedMemoryForTheTableOnly) {
  const DataOptions images = write_blank_images(100000, kAny);  // 78 MB of pixels
  const PeakMemory peak;
  const LoadedData data = load(images);
  EXPECT_EQ(data.train.pixels.size(), 78400000U);
  EXPECT_LT(peak.bytes(), 1.5 * 78400000);
}

TEST_F(UnpackedTest, ReadsAllMembersOfAGzipFile) {
  write_gzip("part", "a,y\n1,");
  const std::string first = bytes_of("part");
  write_gzip("part", "2\n3,4\n");
  const std::string second = bytes_of("part");
  write_gzip("part", "");
  write("table.csv.gz", first + bytes_of("part") + second + std::string(512, '\0'));
  EXPECT_EQ(load(csv("table.csv.gz")).train.targets, (std::vector<float>{2, 4}));
  write("table.csv.gz",
        first + second.substr(0, 5) + 'x' + second.substr(6));  // zlib's gzread stops here without an error
  EXPECT_EQ(load(csv("table.csv.gz")).train.rows, 2) << "a time stamp may be anything";
  write("table.csv.gz", first + second + "garbage");
  expect_refused(csv("table.csv.gz"), {"table.csv.gz", "truncated or damaged gzip"});
  write("table.csv.gz", first + 'x' + second.substr(1));
  expect_refused(csv("table.csv.gz"), {"table.csv.gz", "truncated or damaged gzip"});
}

TEST_F(UnpackedTest, ManyColumnsAndTargets) {
  static constexpr int kColumns = 120000;  // every second one is a target
  std::string header, row, targets, last;
  for (int c = 0; c < kColumns; ++c) {
    header += fmt::format("{}c{}", c > 0 ? "," : "", c);
    row += fmt::format("{}{}", c > 0 ? "," : "", c);
    last += fmt::format("{}{}", c > 0 ? "," : "", 2 * c + 3);
    if (c % 2 == 1) targets += fmt::format("{}c{}", c > 1 ? "," : "", c);
  }
  write("wide.csv", header + "\n" + last + "\n" + row + "\n");
  const LoadedData data = load({.data = path("wide.csv"), .target = targets, .standardize = Standardize::no});
  EXPECT_EQ(data.train.inputs, kColumns / 2);
  EXPECT_EQ(features_of(data.train)[kColumns / 2 + 5], 10.0F);
  EXPECT_EQ(data.train.targets[kColumns / 2 + 5], 11.0F);
  expect_refused({.data = path("wide.csv")}, {"--target", "'c0', 'c1'", "and 119950 more"});
  write("twice.csv", header + ",c7\n" + row + ",1\n");
  expect_refused({.data = path("twice.csv"), .target = "c1"}, {"twice.csv, line 1", "'c7'", "twice"});
}

TEST_F(UnpackedTest, FindsLinesThatCrossTwoPieces) {
  std::string text = "a,y\r\n";
  std::vector<float> expected;
  for (int i = 0; i < 150000; ++i) {  // more than one piece of 1 MiB
    text += fmt::format("{},{}\r\n", 2 * i, i % 7);
    expected.push_back(static_cast<float>(2 * i));
  }
  write("long.csv", text + "\r\n\n");
  EXPECT_EQ(features_of(load(csv("long.csv")).train), expected);
  write("long.csv", text + "\n1\n");
  expect_refused(csv("long.csv"), {"long.csv, line 150003", "1 value for 2 columns"});
  write("long.csv", text + "1,2");  // the last line has no line end
  EXPECT_EQ(load(csv("long.csv")).train.rows, 150001);
}

}  // namespace
}  // namespace recombine
