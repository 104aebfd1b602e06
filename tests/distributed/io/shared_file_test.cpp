#include "distributed/io/shared_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace recombine {
namespace {

constexpr std::int64_t kBlock = SharedFile::kBlock;

struct Part {
  std::int64_t offset;  ///< in the file
  std::int64_t bytes;
  std::int64_t address;  ///< modulo kBlock, of the first byte in memory
};

/// Writes parts of a buffer whose bytes count up, and reads the file.
class SharedFileTest : public ::testing::Test {
 protected:
  SharedFileTest() : path_("shared_file_" + std::to_string(getpid())), memory_(64 * kBlock) {
    for (std::size_t i = 0; i < memory_.size(); ++i) memory_[i] = static_cast<std::byte>(i % 251);
    std::ofstream(path_) << "";
  }
  ~SharedFileTest() override { std::filesystem::remove(path_); }

  /// The first byte of the buffer whose address is `address` modulo kBlock.
  const std::byte* at(std::int64_t address) const {
    const auto first = reinterpret_cast<std::uintptr_t>(memory_.data());
    return memory_.data() + (static_cast<std::uintptr_t>(address + kBlock) - first % kBlock) % kBlock;
  }

  void write(const std::vector<Part>& parts) const {
    struct stat status {};
    ASSERT_EQ(stat(path_.c_str(), &status), 0);
    const SharedFile file("--out", {path_, status.st_ino});
    for (const Part& part : parts) file.write(part.offset, at(part.address), part.bytes);
    file.sync();
  }

  std::vector<char> content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  void expect(const Part& part) const {
    const std::vector<char> found = content();
    ASSERT_GE(std::ssize(found), part.offset + part.bytes);
    EXPECT_TRUE(std::equal(at(part.address), at(part.address) + part.bytes,
                           reinterpret_cast<const std::byte*>(found.data()) + part.offset))
        << "offset " << part.offset << ", bytes " << part.bytes << ", address " << part.address;
  }

  std::string path_;
  std::vector<std::byte> memory_;
};

TEST_F(SharedFileTest, PartsThatShareBlocks) {
  const std::int64_t direct = SharedFile::kLeastDirect;
  const std::vector<Part> parts = {
      {0, 1000, 0},
      {1000, direct + 2 * kBlock + 7, 1000},               // whole blocks bypass the cache
      {1007 + direct + 2 * kBlock, 3 * kBlock, 8},         // begins in the last block of the part before
      {1007 + direct + 5 * kBlock, direct + kBlock, 12}};  // another alignment than its place
  write(parts);
  for (const Part& part : parts) expect(part);
  EXPECT_EQ(std::ssize(content()), parts.back().offset + parts.back().bytes);
}

TEST_F(SharedFileTest, ALaterPartReplacesAnEarlierOne) {
  write({{0, 40 * kBlock, 5}, {kBlock + 3, 30 * kBlock, 3}});
  expect({kBlock + 3, 30 * kBlock, 3});
  expect({0, kBlock + 3, 5});
}

}  // namespace
}  // namespace recombine
