#pragma once

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/device.hpp"
#include "kernels/math.hpp"
#include "kernels/random.hpp"
#include "tests/support/staged_math.hpp"
#include "tests/support/test_device.hpp"

namespace recombine::test {

/// `size` values in [-1, 1), different for each `tensor`.
inline std::vector<float> random_values(std::int64_t size, std::uint64_t tensor) {
  std::vector<float> values(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = signed_unit(random_words(7, tensor, i / 4)[i % 4]);
  return values;
}

template <class T>
auto view_of(std::vector<T>& v) {
  return vector_view(v.data(), static_cast<std::int64_t>(v.size()));
}
template <class T>
auto view_of(const std::vector<T>& v) {
  return vector_view(v.data(), static_cast<std::int64_t>(v.size()));
}
template <class Vector>
auto matrix_of(Vector& v, std::int64_t rows, std::int64_t cols) {
  return as_matrix(view_of(v), rows, cols);
}

/// The device under test and a stream. math_ works on memory of the host, and each of its calls waits for the result.
class MathTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> device_ = make_test_device();
  std::unique_ptr<Stream> stream_ = device_->make_stream(StreamUse::compute);
  StagedMath staged_{*device_};
  Math& math_ = device_kind() == DeviceKind::cpu ? device_->math() : staged_;
};

}  // namespace recombine::test
