#include "distributed/temporary_file.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distributed/rank_watcher.hpp"
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
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
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

TEST_F(TemporaryFileTest, IsRemovedWhateverEndsItsProcess) {
  for (const int number : {SIGTERM, SIGINT, SIGSEGV, SIGKILL}) {
    const pid_t process = fork();
    if (process == 0) {
      start_rank_watcher("test");
      const TemporaryFile first(place("first"));
      const TemporaryFile second(place("second"));
      TemporaryFile third(place("third"));
      for (const TemporaryFile* file : {&first, &second, static_cast<const TemporaryFile*>(&third)})
        write(file->path(), "x");
      third.rename("--out third");
      std::signal(number, SIG_DFL);
      std::raise(number);
      _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(process, &status, 0), process);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), number);
    for (int waits = 0; waits < 1000 && files() != std::vector<std::string>{"third"}; ++waits) usleep(10000);
    EXPECT_EQ(files(), std::vector<std::string>{"third"}) << strsignal(number);
  }
}

TEST_F(TemporaryFileTest, PlacesOfThoseThatAreGoneAreUsedAgain) {
  for (int i = 0; i < 1000; ++i) const TemporaryFile file(place("c"));
  std::vector<std::unique_ptr<TemporaryFile>> files;
  EXPECT_THROW(for (int i = 0; i < 1000; ++i) files.push_back(std::make_unique<TemporaryFile>(place("c"))), Error);
  EXPECT_GE(files.size(), 8U);
}

}  // namespace
}  // namespace recombine
