#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "kernels/error.hpp"
#include "src/data/text/dialect.hpp"

namespace recombine {

/// Each test has its own folder.
class TextTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / fmt::format("recombine-text-{}", getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& bytes, const std::string& name = "table.csv") const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  /// The text of a file with these bytes.
  TextFile text(const std::string& bytes, const std::string& name = "table.csv") const {
    return TextFile(write(bytes, name), DataBudget({}));
  }
  static std::string content(const TextFile& text) {
    std::string bytes(static_cast<std::size_t>(text.bytes()), '\0');
    EXPECT_EQ(text.read(0, bytes), bytes.size());
    return bytes;
  }

  std::filesystem::path folder_;
};

/// Checks that `call` throws an InputError of one line with all `parts`.
template <class Call>
void expect_input_error(const std::vector<std::string>& parts, const Call& call) {
  try {
    call();
    FAIL() << "was accepted; expected " << parts.front();
  } catch (const InputError& error) {
    const std::string message = error.what();
    for (const std::string& part : parts)
      EXPECT_NE(message.find(part), std::string::npos) << message << " lacks " << part;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

}  // namespace recombine
