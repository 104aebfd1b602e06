#pragma once

#include <memory>

#include "kernels/math.hpp"

namespace recombine::cpu {

/// Matrix products by oneDNN's matmul primitive, f32: bias and activation fused, primitives kept by shape.
class GemmOneDnn {
 public:
  GemmOneDnn();
  ~GemmOneDnn();
  /// @throws Error naming the shape when oneDNN refuses it
  void execute(const Gemm& gemm);

 private:
  class Cache;
  std::unique_ptr<Cache> cache_;
};

}  // namespace recombine::cpu
