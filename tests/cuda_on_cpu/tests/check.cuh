#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <cuda_runtime.h>

// Device arrays and comparisons for instructions_*.cu.

inline int& failures() {
  static int count = 0;
  return count;
}

inline void check_cuda(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "instructions: %s\n", cudaGetErrorName(error));
  std::exit(1);
}

inline cudaStream_t stream() {
  static cudaStream_t stream = [] {
    cudaStream_t made = nullptr;
    check_cuda(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking));
    return made;
  }();
  return stream;
}

template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<T>& values) : size_(values.size()) {
    check_cuda(cudaMalloc(reinterpret_cast<void**>(&data_), size_ * sizeof(T)));
    check_cuda(cudaMemcpyAsync(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice, stream()));
  }
  ~DeviceArray() { check_cuda(cudaFree(data_)); }
  DeviceArray(const DeviceArray&) = delete;
  T* data() const { return data_; }
  std::vector<T> values() const {
    check_cuda(cudaGetLastError());
    std::vector<T> result(size_);
    check_cuda(cudaMemcpyAsync(result.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost, stream()));
    check_cuda(cudaStreamSynchronize(stream()));
    return result;
  }

 private:
  std::size_t size_;
  T* data_ = nullptr;
};

/// Expects a difference of at most `tolerance` times max(1, |expected|). NaN equals NaN.
template <class T>
void expect_near(const char* what, std::size_t i, T got, T expected, double tolerance) {
  const auto a = static_cast<double>(got);
  const auto b = static_cast<double>(expected);
  const bool same = got == expected || (a != a && b != b) || std::fabs(a - b) <= tolerance * std::fmax(1, std::fabs(b));
  if (same) return;
  std::fprintf(stderr, "instructions: %s: element %zu is %.17g, expected %.17g\n", what, i, a, b);
  ++failures();
}
