#include "distributed/io/temporary_file.hpp"

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distributed/host/rank_watcher.hpp"
#include "kernels/error.hpp"

namespace recombine {
namespace {

/// A folder that only this process uses.
class TemporaryFileTest : public ::testing::Test {
 protected:
  TemporaryFileTest() { std::filesystem::create_directory(folder_); }
  ~TemporaryFileTest() override { std::filesystem::remove_all(folder_); }

  std::string place(const std::string& name) const { return folder_ / name; }
  std::unique_ptr<TemporaryFile> make(const std::string& name) const {
    return std::make_unique<TemporaryFile>("--out " + name, place(name));
  }
  mode_t mode(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(stat(place(name).c_str(), &status), 0);
    return status.st_mode & 07777;
  }
  /// The message of the T that `work` throws.
  template <class T>
  static std::string error_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const T& error) {
      return error.what();
    }
    return "no error";
  }
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
      std::filesystem::temp_directory_path() / fmt::format("temporary_file_test.{}", getpid());
};

TEST_F(TemporaryFileTest, ReplacesWhatIsAtItsPlaceOnlyWhenPublished) {
  write(place("c"), "old");
  {
    const auto file = make("c");
    file->write("new");
    EXPECT_EQ(read(place("c")), "old");
    file->publish();
    EXPECT_EQ(files(), std::vector<std::string>{"c"});
    write(file->path(), "of another");  // after publish() this path is not the object's file
    file->write("er");
  }
  EXPECT_EQ(read(place("c")), "newer");
  EXPECT_EQ(files().size(), 2U);
}

TEST_F(TemporaryFileTest, ALinkIsReplacedAndNotFollowed) {
  write(place("foreign"), "old");
  std::filesystem::create_symlink(place("foreign"), place("c"));
  const auto file = make("c");
  file->write("new");
  file->commit();
  EXPECT_EQ(read(place("foreign")), "old");
  EXPECT_EQ(read(place("c")), "new");
  EXPECT_FALSE(std::filesystem::is_symlink(place("c")));
}

TEST_F(TemporaryFileTest, HasAShortNameThatDiffersEachTime) {
  const std::string longest(NAME_MAX, 'x');
  {
    const auto first = make(longest);
    const auto second = make(longest);
    EXPECT_NE(first->path(), second->path());
    EXPECT_EQ(std::filesystem::path(first->path()).parent_path(), std::filesystem::path(place("c")).parent_path());
    first->commit();
  }
  EXPECT_EQ(files(), std::vector<std::string>{longest});
  EXPECT_EQ(error_of<InputError>([&] { make(longest + "x"); }),
            "--out " + longest + "x: cannot write there: File name too long; expected a name of at most 255 bytes");
  std::string deep;
  while (deep.size() <= PATH_MAX) deep += "./";
  EXPECT_EQ(error_of<InputError>([&] { make(deep + "c"); }),
            "--out " + deep + "c: cannot write there: File name too long; expected a path of at most 4000 bytes");
  EXPECT_EQ(files(), std::vector<std::string>{longest});
}

TEST_F(TemporaryFileTest, KeepsThePermissionsOfTheFileThatItReplaces) {
  const mode_t before = umask(022);
  for (const mode_t permissions : {0600, 0666, 0640, 0400}) {
    write(place("c"), "old");
    ASSERT_EQ(chmod(place("c").c_str(), permissions), 0);
    const auto file = make("c");
    struct stat status {};
    ASSERT_EQ(stat(file->path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 077 & ~permissions, 0U) << "the temporary file has more permissions than the old file";
    file->publish();
    EXPECT_EQ(mode("c"), permissions);
    std::filesystem::remove(place("c"));
  }
  make("new")->publish();
  umask(before);
  EXPECT_EQ(mode("new"), 0644U);
}

TEST_F(TemporaryFileTest, ReservesRoom) {
  const auto file = make("c");
  file->reserve(1 << 20);
  file->write("text");
  struct stat status {};
  ASSERT_EQ(stat(file->path().c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, 1 << 20);
  file->commit();
  EXPECT_EQ(std::filesystem::file_size(place("c")), 4U);
}

TEST_F(TemporaryFileTest, KeepsAFinishedFileThatCannotBeRenamed) {
  std::string kept;
  {
    const auto file = make("c");
    kept = file->path();
    file->write("result");
    std::filesystem::create_directory(place("c"));
    EXPECT_EQ(error_of<Error>([&] { file->commit(); }),
              "--out c: cannot rename the finished file: Is a directory; the data are kept in " + kept);
  }
  EXPECT_EQ(read(kept), "result");
}

TEST_F(TemporaryFileTest, ReportsThatItsFolderWasRemoved) {
  const std::string folder = place("folder");
  std::filesystem::create_directory(folder);
  const auto file = make("folder/c");
  const auto published = make("folder/d");
  published->publish();
  EXPECT_NO_THROW(file->require_there());
  std::filesystem::rename(place("folder/d"), place("d"));  // the file may move, as in log rotation
  EXPECT_NO_THROW(published->require_there());
  std::filesystem::remove(place("d"));
  EXPECT_EQ(error_of<Error>([&] { published->require_there(); }),
            "--out folder/d: the file was removed during the run; expected it to stay until the end");
  std::filesystem::remove_all(folder);
  const std::string told = "--out folder/c: its folder or " + file->path() +
                           " was removed during the run; expected it to stay until the end";
  EXPECT_EQ(error_of<Error>([&] { file->require_there(); }), told);
  EXPECT_EQ(error_of<Error>([&] { file->publish(); }),
            "--out folder/c: cannot rename the finished file: No such file or directory; " + file->path() +
                " was removed or moved during the run");
}

TEST_F(TemporaryFileTest, IsRemovedWithItsObject) {
  make("c")->write("half");
  EXPECT_TRUE(files().empty());
}

TEST_F(TemporaryFileTest, IsRemovedIfASignalEndsItsProcess) {
  for (const int number : {SIGTERM, SIGINT, SIGSEGV, SIGKILL}) {
    const pid_t process = fork();
    if (process == 0) {
      start_rank_watcher("test");
      const auto first = make("first");
      const auto second = make("second");
      make("third")->publish();
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

TEST_F(TemporaryFileTest, TheSlotOfADestroyedFileIsUsedAgain) {
  for (int i = 0; i < 1000; ++i) make("c");
  std::vector<std::unique_ptr<TemporaryFile>> files;
  EXPECT_THROW(for (int i = 0; i < 1000; ++i) files.push_back(make("c")), Error);
  EXPECT_GE(files.size(), 8U);
}

}  // namespace
}  // namespace recombine
