#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

class LargeTableTest : public DataTest {
 protected:
  DataOptions options_for(const std::string& name, const DataMemory& memory = {}) const {
    return {.data = path(name),
            .target = "y",
            .standardize = Standardize::no,
            .answers = AnswerKind::numbers,
            .memory = memory};
  }
  static std::string repeated(const std::string& line, int times) {
    std::string text = "a,y\n1,0.5\n";
    for (int i = 0; i < times; ++i) text += line;
    return text;
  }
};

TEST_F(LargeTableTest, RefusesTargetsBeyondTheHostsMemory) {
  write("table.csv", repeated("3,2\n", 600000));
  expect_refused(options_for("table.csv", {.host_bytes = 3 << 20}), {"table.csv", "its memory allows 3 MiB"});
}

TEST_F(LargeTableTest, RowsThatDoNotFitHalfOfTheMemoryLieOnADisk) {
  write("table.csv", repeated("3,2\n", 300000));
  for (const auto& [mib, place] : {std::pair(3, FeatureStore::Place::disk), {16, FeatureStore::Place::memory}}) {
    const LoadedData data = load(options_for("table.csv", {.host_bytes = static_cast<double>(mib << 20)}));
    EXPECT_EQ(data.train.store->place(), place) << mib;
    EXPECT_EQ(data.train.rows, 300001);
    EXPECT_EQ(features_of(data.train)[300000], 3);
  }
}

TEST_F(LargeTableTest, ManyColumnsAndTargets) {
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
  expect_refused({.data = path("wide.csv"), .target = "none"}, {"--target none", "'c0', 'c1'", "and 119950 more"});
  write("twice.csv", header + ",c7\n" + row + ",1\n");
  expect_refused({.data = path("twice.csv"), .target = "c1"}, {"twice.csv, line 1", "'c7'", "twice"});
}

TEST_F(LargeTableTest, FindsLinesThatCrossTwoPieces) {
  std::string text = "a,y\r\n";
  std::vector<float> expected;
  for (int i = 0; i < 150000; ++i) {  // more than one piece of 1 MiB
    text += fmt::format("{},{}\r\n", 2 * i, i % 7);
    expected.push_back(static_cast<float>(2 * i));
  }
  write("long.csv", text + "\r\n\n");
  EXPECT_EQ(features_of(load(options_for("long.csv")).train), expected);
  write("long.csv", text + "\n1\n");
  expect_refused(options_for("long.csv"), {"long.csv, line 150003", "1 value for 2 columns"});
  write("long.csv", text + "1,2");  // the last line has no line end
  EXPECT_EQ(load(options_for("long.csv")).train.rows, 150001);
}

}  // namespace
}  // namespace recombine
