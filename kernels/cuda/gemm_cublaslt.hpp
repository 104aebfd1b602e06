#pragma once

#include <compare>
#include <map>
#include <memory>

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include "kernels/cuda/cublaslt_library.hpp"
#include "kernels/cuda/handle.hpp"
#include "kernels/device.hpp"
#include "kernels/math.hpp"

namespace recombine::cuda {

struct CublasLtOptions {
  F32Products f32_products = F32Products::f32;
  int gpu = 0;
};

/// Products by cuBLASLt. Caches the best algorithm for each shape. Each stream has its own workspace.
class GemmCublasLt {
 public:
  explicit GemmCublasLt(const CublasLtOptions& options);
  ~GemmCublasLt();

  /// Enqueues the product with its bias and activation. Returns false and enqueues nothing if the library has no
  /// algorithm, or if the algorithm's ReLU turns NaN into 0.
  /// @pre C is not empty, k > 0; activation identity or relu
  bool execute(cudaStream_t stream, const Gemm& gemm);

 private:
  struct Plan;

  /// Everything that the choice of an algorithm depends on.
  struct Key {
    std::int64_t m, n, k;
    std::int64_t a_ld, b_ld, c_ld;
    Transpose trans_a, trans_b;
    DataType operand, result;
    cublasLtEpilogue_t epilogue;
    std::uint32_t a_alignment, b_alignment, c_alignment, bias_alignment;
    auto operator<=>(const Key&) const = default;
  };

  static Key key_of(const Gemm& gemm);
  cublasComputeType_t compute_type(DataType operand) const;
  /// Null if execute() must return false.
  std::unique_ptr<const Plan> make_plan(const Gemm& gemm, const Key& key) const;
  /// True if the plan's epilogue keeps NaN. The library does not document this for its ReLU, and algorithms may differ.
  /// So this runs the plan once with alpha = NaN on operands of zeros. The host waits.
  bool keeps_nan(const Plan& plan, const Gemm& gemm) const;
  void* workspace_of(cudaStream_t stream);

  using Memory = Handle<void*, cudaFree>;

  F32Products f32_products_;
  std::size_t workspace_bytes_;
  CublasLtHandle library_;
  std::map<Key, std::unique_ptr<const Plan>> plans_;
  std::map<cudaStream_t, Memory> workspaces_;
};

}  // namespace recombine::cuda
