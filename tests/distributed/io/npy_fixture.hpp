#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <mpi.h>
#include <unistd.h>

#include "distributed/io/npy_file.hpp"
#include "kernels/error.hpp"
#include "tests/support/rank_test.hpp"

namespace recombine {

/// For each test a folder that the ranks share, and a matrix with a different element at every place.
class NpyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::int64_t id = getpid();
    MPI_Bcast(&id, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
    folder_ = std::filesystem::path(testing::TempDir()) / fmt::format("recombine-npy-{}", id);
    if (test::session().rank() == 0) std::filesystem::create_directories(folder_);
    barrier();
  }
  void TearDown() override {
    barrier();
    if (test::session().rank() == 0) std::filesystem::remove_all(folder_);
  }

  static void barrier() { MPI_Barrier(MPI_COMM_WORLD); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string own_path() const { return path(fmt::format("rank{}.npy", world_->rank())); }
  std::int64_t files_there() const {
    return std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator());
  }

  static double value(std::int64_t i, std::int64_t j) { return std::sin(static_cast<double>(1000 * i + j)) * 1e3; }
  /// `x` rounded to `type`: by scaling and rounding to an integer, not on bits as the library does it.
  /// @pre x is not subnormal
  static double rounded(double x, DataType type) {
    if (type == DataType::f64) return x;
    if (type == DataType::f32) return static_cast<double>(static_cast<float>(x));
    int exponent = 0;
    const double mantissa = std::frexp(x, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
  }
  static double get(ConstMatrixView m, std::int64_t i, std::int64_t j) {
    const std::int64_t at = i * m.ld + j;
    if (m.type == DataType::f32) return static_cast<double>(m.as<float>()[at]);
    if (m.type == DataType::f64) return m.as<double>()[at];
    const std::uint32_t bits = reinterpret_cast<const std::uint16_t*>(m.data)[at];
    return static_cast<double>(std::bit_cast<float>(bits << 16));
  }
  static void set(MatrixView m, std::int64_t i, std::int64_t j, double x) {
    const std::int64_t at = i * m.ld + j;
    if (m.type == DataType::f32) m.as<float>()[at] = static_cast<float>(x);
    if (m.type == DataType::f64) m.as<double>()[at] = x;
    if (m.type != DataType::bf16) return;
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(rounded(x, DataType::bf16)));
    reinterpret_cast<std::uint16_t*>(m.data)[at] = static_cast<std::uint16_t>(bits >> 16);
  }

  /// The file that numpy.save would write for value(i, j). Elements are rounded to `first` before the file's type.
  static std::string file_bytes(const NpyHeader& header, DataType first) {
    std::string bytes = format_npy_header(header);
    const std::size_t offset = bytes.size();
    bytes.resize(offset + static_cast<std::size_t>(header.rows * header.cols * size_of(header.type)));
    auto* const data = reinterpret_cast<std::byte*>(bytes.data() + offset);
    const bool by_columns = header.order == MatrixOrder::columns;
    const MatrixView m{data, header.rows, header.cols, by_columns ? header.rows : header.cols,
                       native_type(header.type).value()};
    for (std::int64_t i = 0; i < header.rows; ++i) {
      for (std::int64_t j = 0; j < header.cols; ++j) {
        by_columns ? set(m, j, i, rounded(value(i, j), first)) : set(m, i, j, rounded(value(i, j), first));
      }
    }
    return bytes;
  }
  static void save(const std::string& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  }
  static std::string load(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  /// The message of the T that `work` throws. Expects one line.
  template <class T>
  static std::string error_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const T& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return error.what();
    }
    return "no error";
  }

  std::unique_ptr<Device> device_ = make_device({.progress = test::session().progress()});
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::communication);
  std::unique_ptr<Communicator> world_ = make_world(test::session());
  std::filesystem::path folder_;
};

}  // namespace recombine
