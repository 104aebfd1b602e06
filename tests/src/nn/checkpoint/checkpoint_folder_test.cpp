#include "src/nn/checkpoint/checkpoint_folder.hpp"

#include <array>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/src/nn/checkpoint/checkpoint_folder_fixture.hpp"

namespace recombine {
namespace {

TEST_F(CheckpointFolderTest, KeepsTheNewest) {
  const CheckpointFolder folder(path_);
  EXPECT_FALSE(folder.has_checkpoints());
  EXPECT_EQ(folder.candidates(), Names{});
  for (const std::int64_t step : {0, 5, 10, 15, 123456789}) save(folder, step);
  EXPECT_TRUE(folder.has_checkpoints());
  EXPECT_EQ(files(), (Names{"latest", "lock", "step-00000010.safetensors", "step-00000015.safetensors",
                            "step-123456789.safetensors"}));
  EXPECT_EQ(folder.candidates(), (Names{in("step-123456789.safetensors"), in("step-00000015.safetensors"),
                                        in("step-00000010.safetensors")}));
  EXPECT_EQ(read(in("latest")), "step-123456789.safetensors\n");
  save(folder, 123456790, 1);
  EXPECT_EQ(files(), (Names{"latest", "lock", "step-123456790.safetensors"}));
}

/// A run that is resumed from an old checkpoint leaves the branch of the newer ones.
TEST_F(CheckpointFolderTest, ACommitDeletesLargerSteps) {
  const CheckpointFolder folder(path_);
  for (const std::int64_t step : {10, 20, 30}) save(folder, step);
  save(folder, 15);
  EXPECT_EQ(names(folder.candidates()), (Names{"step-00000015.safetensors", "step-00000010.safetensors"}));
  EXPECT_EQ(files(), (Names{"latest", "lock", "step-00000010.safetensors", "step-00000015.safetensors"}));
}

TEST_F(CheckpointFolderTest, OnlyCheckpointsOfTheFolderAreDeleted) {
  CheckpointFolder folder(path_);
  const std::string outside = parent_ / "step-00000001.safetensors";
  write(outside);
  std::filesystem::create_directory(in("step-00000002.safetensors"));
  std::filesystem::create_symlink(outside, in("step-00000003.safetensors"));
  // Not names that path_of() gives.
  const Names others = {"step-1.safetensors",
                        "step-000000004.safetensors",
                        "step-0000000x.safetensors",
                        "step--0000004.safetensors",
                        "step-00000004.safetensors.old",
                        "xstep-00000004.safetensors",
                        "step-99999999999999999999.safetensors",
                        "notes"};
  for (const std::string& name : others) write(in(name));
  for (const std::int64_t step : {7, 8, 9}) save(folder, step, 1);
  EXPECT_EQ(names(folder.candidates()), Names{"step-00000009.safetensors"});
  EXPECT_TRUE(std::filesystem::exists(outside));
  EXPECT_TRUE(std::filesystem::exists(in("step-00000002.safetensors")));
  EXPECT_TRUE(std::filesystem::is_symlink(in("step-00000003.safetensors")));
  for (const std::string& name : others) EXPECT_TRUE(std::filesystem::exists(in(name))) << name;
  EXPECT_EQ(files().size(), others.size() + 5);
}

TEST_F(CheckpointFolderTest, WithoutLatestTheLargestStepIsFirst) {
  const CheckpointFolder folder(path_);
  for (const std::int64_t step : {10, 20, 30}) save(folder, step);
  const Names all = folder.candidates();
  const Names two(all.begin() + 1, all.end());
  const std::vector<std::pair<std::string, Names>> texts = {
      {"step-00000030.safetensors\n", all}, {"step-00000020.safetensors\n", two},
      {"step-00000025.safetensors\n", two}, {"step-00000005.safetensors\n", all},
      {"step-00000020.safetensors", all},   {"", all},
      {"step-20.safetensors\n", all},       {std::string(4096, '\n'), all},
      {"step-00000020.safe\n", all},        {"../step-00000020.safetensors\n", all}};
  for (const auto& [text, expected] : texts) {
    write(in("latest"), text);
    EXPECT_EQ(folder.candidates(), expected) << text;
  }
  std::filesystem::remove(in("latest"));
  EXPECT_EQ(folder.candidates(), all);
  std::filesystem::create_symlink(in("nowhere"), in("latest"));
  EXPECT_EQ(folder.candidates(), all);
  save(folder, 40);  // replaces the link
  EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(in("latest"))));
}

/// A run that dies between the rename of a checkpoint and that of `latest`.
TEST_F(CheckpointFolderTest, AFileThatWasNotCommittedIsNoCandidate) {
  const CheckpointFolder folder(path_);
  save(folder, 10);
  write(folder.path_of(20));
  EXPECT_EQ(names(folder.candidates()), Names{"step-00000010.safetensors"});
}

TEST_F(CheckpointFolderTest, TimesDoNotMatter) {
  const CheckpointFolder folder(path_);
  for (const std::int64_t step : {10, 20, 30}) {
    save(folder, step);
    const timespec time{.tv_sec = 1'000'000'000 - 1000 * step, .tv_nsec = 0};  // the clock is set back
    const std::array<timespec, 2> times = {time, time};
    for (const std::string& path : {folder.path_of(step), in("latest")})
      ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  }
  EXPECT_EQ(names(folder.candidates()).front(), "step-00000030.safetensors");
  save(folder, 40, 2);
  EXPECT_EQ(names(folder.candidates()), (Names{"step-00000040.safetensors", "step-00000030.safetensors"}));
}

TEST_F(CheckpointFolderTest, TheNextRunRemovesUnfinishedFiles) {
  { const CheckpointFolder first(path_); }
  const Names unfinished = {".recombine-0123456789abcdef.tmp", ".recombine-ffffffffffffffff.tmp"};
  const Names others = {".recombine-.tmp",
                        ".recombine-0123456789abcdeg.tmp",
                        ".recombine-0123456789abcdef.tmpx",
                        "recombine-0123456789abcdef.tmp",
                        ".recombine-0123456789ABCDEF.tmp",
                        ".recombine-1.tmp"};
  const Names special = {".recombine-0000000000000001.tmp", ".recombine-0000000000000002.tmp"};
  for (const Names& list : {unfinished, others}) {
    for (const std::string& name : list) write(in(name));
  }
  const std::string outside = parent_ / unfinished[0];
  write(outside);
  std::filesystem::create_directory(in(special[0]));
  std::filesystem::create_symlink(outside, in(special[1]));
  const CheckpointFolder second(path_);
  for (const std::string& name : unfinished) EXPECT_FALSE(std::filesystem::exists(in(name))) << name;
  for (const Names& list : {others, special}) {
    for (const std::string& name : list) EXPECT_TRUE(std::filesystem::exists(in(name))) << name;
  }
  EXPECT_TRUE(std::filesystem::exists(outside));
}

}  // namespace
}  // namespace recombine
