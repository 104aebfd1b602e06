#include "distributed/temporary_file.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "kernels/error.hpp"

namespace recombine {
namespace {

/// A folder of this process alone.
class TemporaryFileTest : public ::testing::Test {
 protected:
  TemporaryFileTest() { std::filesystem::create_directory(folder_); }
  ~TemporaryFileTest() override { std::filesystem::remove_all(folder_); }

  std::string place(const std::string& name) const { return folder_ / name; }
  static void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  static std::string read(const std::string& path) {
    std::string text;
    std::ifstream(path) >> text;
    return text;
  }

 private:
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / TemporaryFile::path_of("temporary_file_test", getpid());
};

TEST_F(TemporaryFileTest, ReplacesWhatIsAtItsPlaceOnlyWhenRenamed) {
  write(place("c"), "old");
  {
    TemporaryFile file(place("c"));
    write(file.path(), "new");
    EXPECT_EQ(read(place("c")), "old");
    file.rename("--out c");
    EXPECT_FALSE(std::filesystem::exists(file.path()));
    write(file.path(), "of another");  // no longer this one's
  }
  EXPECT_EQ(read(place("c")), "new");
  EXPECT_TRUE(std::filesystem::exists(TemporaryFile::path_of(place("c"), getpid())));
}

TEST_F(TemporaryFileTest, IsRemovedWithItsObject) {
  std::string path;
  {
    const TemporaryFile file(place("c"));
    path = file.path();
    write(path, "half");
    ASSERT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(TemporaryFileTest, AllAreRemovedAtOnce) {
  const TemporaryFile first(place("first"));
  TemporaryFile second(place("second"));
  TemporaryFile third(place("third"));
  for (const TemporaryFile* file : std::initializer_list<const TemporaryFile*>{&first, &second, &third})
    write(file->path(), "x");
  third.rename("--out third");
  TemporaryFile::remove_all();
  EXPECT_FALSE(std::filesystem::exists(first.path()));
  EXPECT_FALSE(std::filesystem::exists(second.path()));
  EXPECT_TRUE(std::filesystem::exists(place("third")));
  EXPECT_THROW(second.rename("--out second"), Error) << "it is gone";
}

TEST_F(TemporaryFileTest, PlacesOfThoseThatAreGoneAreUsedAgain) {
  for (int i = 0; i < 1000; ++i) const TemporaryFile file(place("c"));
  std::vector<std::unique_ptr<TemporaryFile>> files;
  EXPECT_THROW(for (int i = 0; i < 1000; ++i) files.push_back(std::make_unique<TemporaryFile>(place("c"))), Error);
  EXPECT_GE(files.size(), 8U);
}

}  // namespace
}  // namespace recombine
