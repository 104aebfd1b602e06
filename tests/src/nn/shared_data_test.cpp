#include "src/nn/shared_data.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "kernels/error.hpp"
#include "tests/support/rank_test.hpp"
#include "tests/support/test_device.hpp"

namespace recombine {
namespace {

/// Two rows of three features; classes 0 and 1.
LoadedData labelled() {
  LoadedData data{.name = "labelled", .classes = 2};
  data.train = {.rows = 2, .inputs = 3, .features = {1, 2, 3, 4, 5, 6}, .labels = {0, 1}};
  return data;
}

/// The same rows, in a store.
LoadedData stored(FeatureStore::Place place) {
  LoadedData data = labelled();
  const auto store = std::make_shared<FeatureStore>("labelled.csv", place, 2, 3);
  store->write(0, data.train.features);
  data.train.features.clear();
  data.train.store = store;
  return data;
}

class SharedDataTest : public ::testing::Test {
 protected:
  /// Every rank throws an error that contains `expected`.
  void expect_refused(const LoadedData& data, const std::string& expected) {
    std::string message = "nothing";
    try {
      const SharedData shared(test::session(), *world_, *stream_, [&] { return data; });
    } catch (const InputError& error) {
      message = error.what();
    }
    EXPECT_NE(message.find(expected), std::string::npos) << message << "\n  does not contain: " << expected;
  }

  std::unique_ptr<Device> device_ = test::make_test_device(test::session().progress());
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::host);
};

TEST_F(SharedDataTest, EveryRankReadsTheSameTables) {
  const SharedData shared(test::session(), *world_, *stream_, labelled);
  EXPECT_EQ(shared.name(), "labelled");
  EXPECT_EQ(shared.inputs(), 3);
  EXPECT_EQ(shared.outputs(), 2);
  EXPECT_EQ(shared.train().features.as<float>()[5], 6);
  EXPECT_EQ(static_cast<const std::int32_t*>(static_cast<const void*>(shared.train().labels.data))[1], 1);
  EXPECT_EQ(shared.test().rows(), 0);
}

TEST_F(SharedDataTest, RefusesTablesThatDoNotHaveTheirSizes) {
  LoadedData data = labelled();
  data.train.features.push_back(7);
  expect_refused(data, "the training table: features has 7 elements; expected 6");
  data = labelled();
  data.train.pixels.assign(6, 0);
  expect_refused(data, "the training table: features has 6 elements; expected 0");
  data = labelled();
  data.train.labels.pop_back();
  expect_refused(data, "the training table: labels has 1 elements; expected 2");
  data = labelled();
  data.train.outputs = 2;
  expect_refused(data, "the training table: targets has 0 elements; expected 4");
  data = labelled();
  data.test = {.rows = 1, .inputs = 2, .features = {1, 2}, .labels = {0}};
  expect_refused(data, "the test table: has 2 inputs and 0 outputs; expected 3 and 0, as the training table has");
  expect_refused({.classes = 2}, "the training table has no rows; expected at least one");
}

TEST_F(SharedDataTest, RefusesLabelsThatAreNoClasses) {
  for (const std::int32_t label : {-1, 2}) {
    LoadedData data = labelled();
    data.validation = data.train;
    data.validation.labels[1] = label;
    expect_refused(data, "the validation table: has label " + std::to_string(label) + "; expected 0 to 1");
  }
  LoadedData data = labelled();
  data.classes = 0;
  data.train.labels.clear();
  expect_refused(data, "the training table: has 0 outputs, and there are 0 classes; expected exactly one of them > 0");
}

TEST_F(SharedDataTest, AStoreInMemoryIsMappedByEveryRank) {
  const SharedData vectors(test::session(), *world_, *stream_, labelled);
  FileDescriptor file;
  SharedData shared(test::session(), *world_, *stream_, [&] {
    LoadedData data = stored(FeatureStore::Place::memory);
    file = FileDescriptor(dup(data.train.store->file().get()));
    return data;
  });
  ASSERT_EQ(shared.train().stored, nullptr);
  EXPECT_EQ(shared.train().features.as<float>()[5], 6);
  EXPECT_EQ(shared.contents(), vectors.contents());
  agree(*world_, *stream_, [] {});          // every rank has read the file before it changes
  if (test::session().local_rank() == 0) {  // a change of the file is seen: there is no copy
    const float seven = 7;
    ASSERT_EQ(pwrite(file.get(), &seven, sizeof seven, 5 * sizeof seven), 4);
  }
  agree(*world_, *stream_, [] {});
  EXPECT_EQ(shared.train().features.as<float>()[5], 7);
}

TEST_F(SharedDataTest, AStoreOnADiskIsOpenedByEveryRank) {
  const SharedData vectors(test::session(), *world_, *stream_, labelled);
  const SharedData shared(test::session(), *world_, *stream_, [] { return stored(FeatureStore::Place::disk); });
  const Table& table = shared.train();
  ASSERT_NE(table.stored, nullptr);
  EXPECT_EQ(table.features.data, nullptr);
  EXPECT_EQ(table.rows(), 2);
  EXPECT_EQ(shared.inputs(), 3);
  std::vector<float> row(3);
  table.stored->read(1, row);
  EXPECT_EQ(row, (std::vector<float>{4, 5, 6}));
  EXPECT_EQ(shared.contents(), vectors.contents());
  EXPECT_LT(shared.bytes(), vectors.bytes());
}

TEST_F(SharedDataTest, RefusesAStoreThatDoesNotHaveTheSizeOfItsTable) {
  LoadedData data = stored(FeatureStore::Place::disk);
  data.train.rows = 3;
  data.train.labels.push_back(0);
  expect_refused(data, "the training table: its store is [2, 3]; expected [3, 3]");
  data = stored(FeatureStore::Place::memory);
  data.train.features.assign(6, 0);
  expect_refused(data, "the training table: features has 6 elements; expected 0");
  data = stored(FeatureStore::Place::memory);
  data.train.pixels.assign(6, 0);
  expect_refused(data, "the training table: its store is [2, 3], and it has pixels; expected [2, 3]");
}

}  // namespace
}  // namespace recombine
