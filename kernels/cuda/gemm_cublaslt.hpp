#pragma once

#include <compare>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/cuda/cublaslt_library.hpp"
#include "kernels/cuda/cublaslt_product.hpp"
#include "kernels/cuda/gemm_trial.hpp"
#include "kernels/cuda/handle.hpp"
#include "kernels/device.hpp"
#include "kernels/math.hpp"

namespace recombine::cuda {

struct CublasLtOptions {
  F32Products f32_products = F32Products::f32;
  int gpu = 0;
};

/// Products by cuBLASLt. The first product of a key (shape, types, leading dimensions, alignments, epilogue) measures
/// the first eight algorithms of the library's heuristic, in separate memory and on a separate stream. The fastest one
/// is kept. In tf32, if neither operand is stored along k, the product is also measured with a copy of B that is.
///
/// Bits: an algorithm gives the same bits each time, on every GPU of one kind. Algorithms round differently, and the
/// choice depends on times (see choose_fastest). So two runs may differ in the last bits. Ranks may choose different
/// algorithms: no product is computed by two ranks, and collectives give every rank the same sums.
///
/// Memory: each stream has its own workspace, and its own memory for copies of operands. It is allocated at the first
/// use and kept, because a captured graph contains its address. Nothing can be measured during a capture, so the first
/// product of a key must run without one.
class GemmCublasLt {
 public:
  explicit GemmCublasLt(const CublasLtOptions& options);
  ~GemmCublasLt();

  /// Enqueues the product with its bias and activation. Returns false and enqueues nothing if the library has no
  /// algorithm, or if all of its algorithms turn NaN into 0 in their ReLU.
  /// @pre C is not empty, k > 0; activation identity or relu
  bool execute(cudaStream_t stream, const Gemm& gemm);

 private:
  /// Everything that the choice of an algorithm depends on.
  struct Key {
    std::int64_t m, n, k;
    std::int64_t a_ld, b_ld, c_ld;
    Transpose trans_a, trans_b;
    DataType operand, result;
    cublasLtEpilogue_t epilogue;
    CublasLtAlignments alignments;
    auto operator<=>(const Key&) const = default;
  };

  enum class Operands { in_place, b_copied_along_k };
  struct Plan {
    Operands operands;
    std::shared_ptr<const CublasLtProduct> product;
    CublasLtAlgorithm algorithm;
  };

  /// Where a plan's product runs, and the memory that it may use.
  struct Place {
    cudaStream_t stream;
    void* workspace;
    std::byte* operand_copies;
  };

  using Memory = Handle<void*, cudaFree>;
  struct StreamMemory {
    Memory workspace;
    std::vector<Memory> operand_copies;  ///< a larger one is added if the last is too small
    std::int64_t operand_copy_bytes = 0;
  };

  static Key key_of(const Gemm& gemm);
  cublasComputeType_t compute_type(DataType operand) const;
  /// Empty if execute() must return false.
  std::optional<Plan> make_plan(cudaStream_t stream, const Gemm& gemm) const;
  /// In the order of preference.
  std::vector<Plan> candidates(const Gemm& gemm) const;
  std::vector<Plan> candidates(const Gemm& gemm, Operands operands) const;
  static GemmTrial::Request trial_of(const Gemm& gemm, const std::vector<Plan>& plans);
  cublasStatus_t enqueue(const Plan& plan, const Gemm& gemm, const Place& place) const;
  Place place_of(cudaStream_t stream, const Plan& plan, const Gemm& gemm);

  F32Products f32_products_;
  std::size_t workspace_bytes_;
  CublasLtHandle library_;
  std::map<Key, std::optional<Plan>> plans_;
  std::map<cudaStream_t, StreamMemory> memory_;
};

}  // namespace recombine::cuda
