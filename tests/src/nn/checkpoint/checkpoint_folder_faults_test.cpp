// A second run, a folder that changes, and places that are no folder to write in.

#include <array>
#include <csignal>
#include <filesystem>
#include <optional>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/src/nn/checkpoint/checkpoint_folder_fixture.hpp"

namespace recombine {
namespace {

using CheckpointFolderFaults = CheckpointFolderTest;

TEST_F(CheckpointFolderFaults, TheLockKeepsASecondRunOut) {
  std::optional<CheckpointFolder> first(path_);
  write(in(".recombine-0123456789abcdef.tmp"));  // the first run writes it
  const std::string refused = "InputError " + message("another run writes there; expected a folder of its own");
  EXPECT_EQ(error_of([&] { const CheckpointFolder second(path_); }), refused);
  EXPECT_EQ(error_in_child([&] { const CheckpointFolder second(path_); }), refused);
  EXPECT_TRUE(std::filesystem::exists(in(".recombine-0123456789abcdef.tmp")));
  first.reset();
  EXPECT_EQ(error_of([&] { const CheckpointFolder second(path_); }), "no error");
  EXPECT_EQ(std::filesystem::file_size(in("lock")), 0U);
}

TEST_F(CheckpointFolderFaults, TheLockDiesWithItsHolder) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t process = fork();
  if (process == 0) {
    error_of([&] {
      const CheckpointFolder holder(path_);
      static_cast<void>(::write(ends[1], "locked", 6) > 0);
      while (true) pause();
    });
    _exit(1);
  }
  std::array<char, 6> text{};
  close(ends[1]);
  EXPECT_EQ(::read(ends[0], text.data(), text.size()), 6);
  close(ends[0]);
  EXPECT_EQ(error_of([&] { const CheckpointFolder second(path_); }),
            "InputError " + message("another run writes there; expected a folder of its own"));
  ASSERT_EQ(kill(process, SIGKILL), 0);
  ASSERT_EQ(waitpid(process, nullptr, 0), process);
  EXPECT_EQ(error_of([&] { const CheckpointFolder second(path_); }), "no error");
}

TEST_F(CheckpointFolderFaults, AFolderThatWasRemovedOrReplacedIsAnError) {
  const std::string expected =
      "Error " + message("was removed or replaced during the run; expected it to stay until the end");
  const CheckpointFolder folder(path_);
  save(folder, 10);
  folder.require_there();
  std::filesystem::rename(path_, path_ + ".moved");
  EXPECT_EQ(error_of([&] { folder.require_there(); }), expected);
  std::filesystem::create_directory(path_);
  write(folder.path_of(20));
  EXPECT_EQ(error_of([&] { folder.commit(20, 1); }), expected);
  EXPECT_EQ(files(), Names{"step-00000020.safetensors"});
  EXPECT_TRUE(std::filesystem::exists(path_ + ".moved/step-00000010.safetensors"));
}

TEST_F(CheckpointFolderFaults, ACommitThatFailsDeletesNothing) {
  const CheckpointFolder folder(path_);
  save(folder, 10, 1);
  EXPECT_NE(error_of([&] { folder.commit(20, 1); }).find("has no step-00000020.safetensors"), std::string::npos);
  write(folder.path_of(20));
  const std::string text = error_in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    require(setrlimit(RLIMIT_FSIZE, &none) == 0, "setrlimit");
    folder.commit(20, 1);
  });
  EXPECT_EQ(text, "Error " + message("cannot write: File too large"));
  EXPECT_EQ(files(), (Names{"latest", "lock", "step-00000010.safetensors", "step-00000020.safetensors"}));
  EXPECT_EQ(names(folder.candidates()), Names{"step-00000010.safetensors"});
  std::filesystem::remove(in("latest"));
  std::filesystem::create_directory(in("latest"));
  EXPECT_TRUE(error_of([&] { folder.commit(20, 1); }).starts_with("Error " + message("is a folder"))) << "not in time";
}

TEST_F(CheckpointFolderFaults, RefusesAPlaceThatIsNoFolder) {
  write(path_);
  EXPECT_EQ(error_of([&] { const CheckpointFolder folder(path_); }),
            "InputError " + message("is a regular file; expected a folder, or a new name in a folder that exists"));
  EXPECT_EQ(read(path_), "x");
  const std::string deep = parent_ / "missing/folder";
  EXPECT_EQ(error_of([&] { const CheckpointFolder folder(deep); }),
            "InputError --checkpoint " + deep +
                ": cannot make this folder: No such file or directory; expected a "
                "folder, or a new name in a writable folder");
  EXPECT_TRUE(
      error_of([&] { const CheckpointFolder folder(""); }).starts_with("InputError --checkpoint : cannot make"));
}

TEST_F(CheckpointFolderFaults, RefusesFoldersInPlaceOfItsFiles) {
  std::filesystem::create_directories(in("lock"));
  EXPECT_TRUE(error_of([&] {
                const CheckpointFolder folder(path_);
              }).starts_with("InputError " + message("cannot write its file lock: Is a directory; expected")));
  std::filesystem::remove(in("lock"));
  std::filesystem::create_directories(in("latest"));
  EXPECT_EQ(error_of([&] { const CheckpointFolder folder(path_); }),
            "InputError " + message("is a folder; expected a regular file or a new name"));
}

TEST_F(CheckpointFolderFaults, RefusesAFolderThatThisUserMayNotWrite) {
  std::filesystem::create_directory(path_);
  write(in("lock"), "");
  write(in(".recombine-0123456789abcdef.tmp"));
  chmod(in("lock").c_str(), 0666);
  chmod(path_.c_str(), 0555);
  const auto as_nobody = [](const std::function<void()>& work) {
    return error_in_child([&] {
      if (geteuid() == 0) require(setgid(65534) == 0 && setuid(65534) == 0, "setuid");
      work();
    });
  };
  EXPECT_EQ(as_nobody([&] { const CheckpointFolder folder(path_); }),
            "InputError " + message("cannot write there: Permission denied; expected a path in a writable folder"));
  std::filesystem::remove(in("lock"));
  EXPECT_EQ(as_nobody([&] { const CheckpointFolder folder(path_); }),
            "InputError " + message("cannot write its file lock: Permission denied; expected a writable folder"));
  const std::string inner = in("new");
  EXPECT_EQ(as_nobody([&] { const CheckpointFolder folder(inner); }),
            "InputError --checkpoint " + inner +
                ": cannot make this folder: Permission denied; expected a folder, or "
                "a new name in a writable folder");
  chmod(path_.c_str(), 0755);
  EXPECT_EQ(files(), Names{".recombine-0123456789abcdef.tmp"});
}

TEST_F(CheckpointFolderFaults, RefusesAReadOnlyFileSystem) {
  std::filesystem::create_directory(path_);
  const std::string text = error_in_child([&] {
    const bool mounted = unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         mount("none", path_.c_str(), "tmpfs", MS_RDONLY, nullptr) == 0;
    if (!mounted) throw Error("no mounts");
    CheckpointFolder folder(path_);
  });
  if (text == "Error no mounts") GTEST_SKIP() << "this user may not mount";
  EXPECT_EQ(text,
            "InputError " + message("cannot write its file lock: Read-only file system; expected a writable folder"));
}

}  // namespace
}  // namespace recombine
