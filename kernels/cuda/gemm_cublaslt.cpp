#include "kernels/cuda/gemm_cublaslt.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/cuda/gpu.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/gemm_shape.hpp"

namespace recombine::cuda {

namespace {

// What NVIDIA recommends: 32 MiB from Hopper on, 4 MiB before.
constexpr std::size_t kLargeWorkspace = std::size_t{32} << 20;
constexpr std::size_t kSmallWorkspace = std::size_t{4} << 20;
constexpr std::uintptr_t kMostAlignment = 256;

cudaDataType_t cuda_type(DataType type) {
  return type == DataType::f64 ? CUDA_R_64F : type == DataType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

cublasOperation_t cublas_operation(Transpose transpose) {
  return transpose == Transpose::yes ? CUBLAS_OP_T : CUBLAS_OP_N;
}

std::uint32_t alignment_of(const std::byte* memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t lowest_bit = address & (~address + 1);
  return static_cast<std::uint32_t>(address == 0 ? kMostAlignment : std::min(lowest_bit, kMostAlignment));
}

cublasLtEpilogue_t epilogue_of(const Gemm& gemm) {
  const bool bias = gemm.bias.size > 0;
  if (gemm.activation == Activation::relu) return bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
  return bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
}

template <class T>
void set(const CublasLtOperation& operation, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  check(cublaslt().operation_set(operation.get(), attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
}

template <class T>
void set(const CublasLtPreference& preference, cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
  check(cublaslt().preference_set(preference.get(), attribute, &value, sizeof value),
        "cublasLtMatmulPreferenceSetAttribute");
}

/// The library is column-major: our row-major [rows,cols] is its [cols,rows].
CublasLtLayout make_layout(ConstMatrixView x) {
  CublasLtLayout layout;
  check(cublaslt().layout_create(layout.out(), cuda_type(x.type), static_cast<std::uint64_t>(x.cols),
                                 static_cast<std::uint64_t>(x.rows), x.ld),
        "cublasLtMatrixLayoutCreate");
  return layout;
}

}  // namespace

/// C^T = op(B)^T op(A)^T: the library's first operand is our B. Our bias has one element for each column of C. The
/// library's bias has one for each row of its result C^T, so they are the same.
struct GemmCublasLt::Plan {
  CublasLtOperation operation;
  CublasLtLayout b, a, c;
  cublasLtMatmulAlgo_t algorithm;
  std::size_t workspace_bytes;
};

GemmCublasLt::GemmCublasLt(const CublasLtOptions& options) : f32_products_(options.f32_products) {
  int major = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, options.gpu), "cudaDeviceGetAttribute");
  workspace_bytes_ = major >= 9 ? kLargeWorkspace : kSmallWorkspace;
  check(cublaslt().create(library_.out()), "cublasLtCreate");
}

GemmCublasLt::~GemmCublasLt() = default;

bool GemmCublasLt::execute(cudaStream_t stream, const Gemm& gemm) {
  const Key key = key_of(gemm);
  auto found = plans_.find(key);
  if (found == plans_.end()) found = plans_.emplace(key, make_plan(gemm, key)).first;
  if (!found->second) return false;
  const Plan& plan = *found->second;
  if (gemm.bias.size > 0) set(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, gemm.bias.data);
  const auto alpha = static_cast<float>(gemm.alpha);
  const auto beta = static_cast<float>(gemm.beta);
  const bool f64 = gemm.c.type == DataType::f64;
  void* const workspace = plan.workspace_bytes > 0 ? workspace_of(stream) : nullptr;
  check(cublaslt().multiply(library_.get(), plan.operation.get(), f64 ? static_cast<const void*>(&gemm.alpha) : &alpha,
                            gemm.b.data, plan.b.get(), gemm.a.data, plan.a.get(),
                            f64 ? static_cast<const void*>(&gemm.beta) : &beta, gemm.c.data, plan.c.get(), gemm.c.data,
                            plan.c.get(), &plan.algorithm, workspace, plan.workspace_bytes, stream),
        "cublasLtMatmul");
  return true;
}

GemmCublasLt::Key GemmCublasLt::key_of(const Gemm& gemm) {
  const GemmShape shape = shape_of(gemm);
  return {.m = shape.m,
          .n = shape.n,
          .k = shape.k,
          .a_ld = gemm.a.ld,
          .b_ld = gemm.b.ld,
          .c_ld = gemm.c.ld,
          .trans_a = gemm.trans_a,
          .trans_b = gemm.trans_b,
          .operand = gemm.a.type,
          .result = gemm.c.type,
          .epilogue = epilogue_of(gemm),
          .a_alignment = alignment_of(gemm.a.data),
          .b_alignment = alignment_of(gemm.b.data),
          .c_alignment = alignment_of(gemm.c.data),
          .bias_alignment = alignment_of(gemm.bias.data)};
}

cublasComputeType_t GemmCublasLt::compute_type(DataType operand) const {
  if (operand == DataType::f64) return CUBLAS_COMPUTE_64F;
  const bool tf32 = operand == DataType::f32 && f32_products_ == F32Products::tf32;
  return tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

std::unique_ptr<const GemmCublasLt::Plan> GemmCublasLt::make_plan(const Gemm& gemm, const Key& key) const {
  Plan plan = {.operation = {},
               .b = make_layout(gemm.b),
               .a = make_layout(gemm.a),
               .c = make_layout(gemm.c),
               .algorithm = {},
               .workspace_bytes = 0};
  const cudaDataType_t scale = key.result == DataType::f64 ? CUDA_R_64F : CUDA_R_32F;
  check(cublaslt().operation_create(plan.operation.out(), compute_type(key.operand), scale),
        "cublasLtMatmulDescCreate");
  set(plan.operation, CUBLASLT_MATMUL_DESC_TRANSA, cublas_operation(gemm.trans_b));
  set(plan.operation, CUBLASLT_MATMUL_DESC_TRANSB, cublas_operation(gemm.trans_a));
  set(plan.operation, CUBLASLT_MATMUL_DESC_EPILOGUE, key.epilogue);
  if (gemm.bias.size > 0) {
    set(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_32F);
    set(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, gemm.bias.data);
  }

  CublasLtPreference preference;
  check(cublaslt().preference_create(preference.out()), "cublasLtMatmulPreferenceCreate");
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace_bytes_);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key.b_alignment);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key.a_alignment);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key.c_alignment);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key.c_alignment);

  cublasLtMatmulHeuristicResult_t best = {};
  int found = 0;
  const cublasStatus_t status =
      cublaslt().find_algorithm(library_.get(), plan.operation.get(), plan.b.get(), plan.a.get(), plan.c.get(),
                                plan.c.get(), preference.get(), 1, &best, &found);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) return nullptr;
  check(status, "cublasLtMatmulAlgoGetHeuristic");
  if (found == 0 || best.state != CUBLAS_STATUS_SUCCESS) return nullptr;
  plan.algorithm = best.algo;
  plan.workspace_bytes = best.workspaceSize;
  if (gemm.activation == Activation::relu && !keeps_nan(plan, gemm)) return nullptr;
  return std::make_unique<const Plan>(std::move(plan));
}

bool GemmCublasLt::keeps_nan(const Plan& plan, const Gemm& gemm) const {
  const auto bytes = [](const ConstMatrixView& x) { return x.rows * x.ld * size_of(x.type); };
  const std::int64_t zero_bytes = std::max({bytes(gemm.a), bytes(gemm.b), gemm.bias.bytes()});
  StreamHandle stream;  // a new one: the other streams may contain work that waits for the host
  check(cudaStreamCreateWithFlags(stream.out(), cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  const Scratch zeros(stream.get(), zero_bytes);
  const Scratch c(stream.get(), bytes(gemm.c));
  const Scratch workspace(stream.get(), std::max<std::int64_t>(1, static_cast<std::int64_t>(plan.workspace_bytes)));
  void* const operand = zeros.as<void>();
  check(cudaMemsetAsync(operand, 0, static_cast<std::size_t>(zero_bytes), stream.get()), "cudaMemsetAsync");
  if (gemm.bias.size > 0) set(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, operand);
  const float alpha = std::numeric_limits<float>::quiet_NaN();
  const float beta = 0;
  check(cublaslt().multiply(library_.get(), plan.operation.get(), &alpha, operand, plan.b.get(), operand, plan.a.get(),
                            &beta, c.as<void>(), plan.c.get(), c.as<void>(), plan.c.get(), &plan.algorithm,
                            workspace.as<void>(), plan.workspace_bytes, stream.get()),
        "cublasLtMatmul");
  float first = 0;
  check(cudaMemcpyAsync(&first, c.as<void>(), sizeof first, cudaMemcpyDefault, stream.get()), "cudaMemcpyAsync");
  check(cudaStreamSynchronize(stream.get()), "cudaStreamSynchronize");
  return std::isnan(first);
}

void* GemmCublasLt::workspace_of(cudaStream_t stream) {
  Memory& memory = workspaces_[stream];
  if (!memory.get()) {
    check(cudaMallocAsync(memory.out(), workspace_bytes_, stream), "cudaMallocAsync of cuBLASLt's workspace");
  }
  return memory.get();
}

}  // namespace recombine::cuda
