#include "distributed/host_shared.hpp"

#include <array>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "distributed/host_file.hpp"
#include "tests/support/rank_test.hpp"

namespace recombine {
namespace {

constexpr std::int64_t kBytes = 3 << 20;

FileDescriptor file_of_sevens() {
  FileDescriptor file(memfd_create("sevens", MFD_CLOEXEC));
  const std::vector<std::byte> sevens(kBytes, std::byte{7});
  EXPECT_EQ(write(file.get(), sevens.data(), sevens.size()), kBytes);
  return file;
}

bool is_first() { return test::session().local_rank() == 0; }

/// The last rank writes, and all ranks read.
void expect_shared(HostShared& memory) {
  const bool last = test::session().local_rank() == test::session().local_size() - 1;
  memory.synchronize();
  if (last) memory.data()[memory.size() - 1] = std::byte{42};
  memory.synchronize();
  EXPECT_EQ(memory.data()[memory.size() - 1], std::byte{42});
}

TEST(HostShared, EveryRankSeesTheSameMemoryOfZeros) {
  HostShared memory(test::session(), is_first() ? kBytes : 1);
  EXPECT_EQ(memory.size(), kBytes);
  EXPECT_EQ(memory.data()[kBytes / 2], std::byte{0});
  expect_shared(memory);
}

TEST(HostShared, MapsAFileOfTheFirstRankWithoutACopy) {
  const FileDescriptor file = is_first() ? file_of_sevens() : FileDescriptor();
  HostShared memory(test::session(), file, is_first() ? kBytes : 0);
  EXPECT_EQ(memory.size(), kBytes);
  EXPECT_EQ(memory.data()[0], std::byte{7});
  expect_shared(memory);
  if (!is_first()) return;
  std::byte last{};
  ASSERT_EQ(pread(file.get(), &last, 1, kBytes - 1), 1);
  EXPECT_EQ(last, std::byte{42});
}

TEST(HostShared, IsAWindowIfThereIsNoFileToOpen) {
  HostShared memory(test::session(), FileDescriptor(), kBytes);
  EXPECT_EQ(memory.size(), kBytes);
  expect_shared(memory);
}

TEST(HostFile, EveryRankOpensTheFileOfTheFirst) {
  FileDescriptor opened;
  {
    const FileDescriptor file = is_first() ? file_of_sevens() : FileDescriptor();
    opened = open_host_file(test::session(), file);
  }
  ASSERT_TRUE(opened.is_open());
  std::byte value{};
  EXPECT_EQ(pread(opened.get(), &value, 1, kBytes - 1), 1);
  EXPECT_EQ(value, std::byte{7});
  EXPECT_FALSE(open_host_file(test::session(), FileDescriptor()).is_open());
}

}  // namespace
}  // namespace recombine
