#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include "kernels/error.hpp"
#include "src/data/load_data.hpp"

namespace recombine {

/// Each test has its own folder.
class DataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / fmt::format("recombine-data-{}", getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  void write_gzip(const std::string& name, const std::string& bytes, std::size_t cut = 0) const {
    gzFile file = gzopen(path(name).c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    std::filesystem::resize_file(path(name), std::filesystem::file_size(path(name)) - cut);
  }
  static std::string big_endian(std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
    return bytes;
  }
  static std::string images(std::uint32_t count, std::uint32_t magic = 0x803) {
    std::string bytes = big_endian(magic) + big_endian(count) + big_endian(2) + big_endian(3);
    for (std::uint32_t i = 0; i < count * 6; ++i) bytes += static_cast<char>(i * 7);
    return bytes;
  }
  static std::string labels(std::uint32_t count) {
    std::string bytes = big_endian(0x801) + big_endian(count);
    for (std::uint32_t i = 0; i < count; ++i) bytes += static_cast<char>(i % 4);
    return bytes;
  }
  static LoadedData load(const DataOptions& options) { return load_data(options).data; }
  /// The stored inputs of a table, row by row.
  static std::vector<float> features_of(const LoadedTable& table) {
    if (table.store == nullptr) return table.features;
    std::vector<float> values(static_cast<std::size_t>(table.rows * table.inputs));
    table.store->read(0, values);
    return values;
  }
  /// --data FILE of the text, --target y, values as they are, and numbers as a regression.
  DataOptions plain(const std::string& text) const {
    return {.data = write("table.csv", text),
            .target = "y",
            .standardize = Standardize::no,
            .answers = AnswerKind::numbers};
  }
  std::string all_notes(const DataOptions& options) const {
    std::string all;
    for (const std::string& note : load_data(options).notes) all += note + "\n";
    return all;
  }
  void expect_refused(const DataOptions& options, const std::vector<std::string>& parts) const {
    try {
      load_data(options);
      FAIL() << "was accepted; expected " << parts.front();
    } catch (const InputError& error) {
      for (const std::string& part : parts) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what() << " lacks " << part;
      }
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
  void expect_table_refused(const std::string& text, const std::vector<std::string>& parts) const {
    expect_refused({.data = write("table.csv", text), .target = "y"}, parts);
  }

  std::filesystem::path folder_;
};

}  // namespace recombine
