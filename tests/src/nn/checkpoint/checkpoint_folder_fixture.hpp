#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distributed/io/temporary_file.hpp"
#include "kernels/error.hpp"
#include "src/nn/checkpoint/checkpoint_folder.hpp"

namespace recombine {

using Names = std::vector<std::string>;

/// A folder that only this process uses; `path_` is a name in it.
class CheckpointFolderTest : public ::testing::Test {
 protected:
  CheckpointFolderTest() { std::filesystem::create_directory(parent_); }
  ~CheckpointFolderTest() override { std::filesystem::remove_all(parent_); }

  std::string in(const std::string& name) const { return path_ + "/" + name; }
  std::string message(const std::string& text) const { return "--checkpoint " + path_ + ": " + text; }
  static void write(const std::string& path, const std::string& text = "x") { std::ofstream(path) << text; }
  static std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  Names files() const {
    Names names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }
  /// Makes a checkpoint as a run does.
  static void save(const CheckpointFolder& folder, std::int64_t step, std::int64_t keep = 3) {
    TemporaryFile file(folder.name(), folder.path_of(step));
    file.write("weights");
    file.commit();
    folder.commit(step, keep);
  }
  static Names names(const Names& paths) {
    Names names;
    for (const std::string& path : paths) names.push_back(std::filesystem::path(path).filename());
    return names;
  }
  /// The message of the error that `work` throws, after its type.
  static std::string error_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const InputError& error) {
      return std::string("InputError ") + error.what();
    } catch (const Error& error) {
      return std::string("Error ") + error.what();
    }
    return "no error";
  }
  /// error_of(work) in a child process, which may change its user, its limits and its mounts.
  static std::string error_in_child(const std::function<void()>& work) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    const pid_t process = fork();
    if (process == 0) {
      const std::string text = error_of(work);
      static_cast<void>(::write(ends[1], text.data(), text.size()) > 0);
      _exit(0);
    }
    close(ends[1]);
    std::string text(4096, '\0');
    const ssize_t size = ::read(ends[0], text.data(), text.size());
    close(ends[0]);
    EXPECT_EQ(waitpid(process, nullptr, 0), process);
    return text.substr(0, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }

  std::filesystem::path parent_ =
      std::filesystem::temp_directory_path() / fmt::format("checkpoint_folder_test.{}", getpid());
  std::string path_ = parent_ / "folder";
};

}  // namespace recombine
