// The entry points of libcublasLt.so.13 that the product calls.
#include <algorithm>
#include <cstring>

#include "tests/cuda_on_cpu/libraries/cublaslt/matmul.hpp"
#include "tests/cuda_on_cpu/libraries/device_memory.hpp"

namespace emulated::cublaslt {

namespace {

template <class Opaque, class State>
cublasStatus_t initialise(Opaque* opaque, std::size_t bytes, const State& state) {
  if (!opaque) return CUBLAS_STATUS_INVALID_VALUE;
  if (bytes < sizeof(State)) return CUBLAS_STATUS_ALLOC_FAILED;
  std::memset(opaque, 0, bytes);
  std::memcpy(opaque, &state, sizeof state);
  return CUBLAS_STATUS_SUCCESS;
}

template <class Opaque, class State>
cublasStatus_t create(Opaque** opaque, const State& state) {
  if (!opaque) return CUBLAS_STATUS_INVALID_VALUE;
  *opaque = new Opaque;
  return initialise(*opaque, sizeof(Opaque), state);
}

template <class State, class Opaque>
State read(const Opaque* opaque) {
  State state;
  std::memcpy(static_cast<void*>(&state), opaque, sizeof state);
  return state;
}

struct Descriptors {
  cublasLtMatmulDesc_t operation;
  cublasLtMatrixLayout_t a, b, c, d;

  bool complete() const { return operation && a && b && c && d; }
  Problem problem() const {
    return {read<Operation>(operation), read<Layout>(a), read<Layout>(b), read<Layout>(c), read<Layout>(d)};
  }
};

void require_device_memory(const Problem& problem, const Operands& x) {
  for (const void* const matrix : {x.a, x.b, x.c, static_cast<const void*>(x.d)})
    emulated::require_device_memory(matrix, "cublasLt: a matrix");
  emulated::require_device_memory(x.workspace, "cublasLt: the workspace");
  if (has_bias(problem)) emulated::require_device_memory(problem.operation.bias, "cublasLt: the bias");
  if (problem.has(kAuxiliary))
    emulated::require_device_memory(problem.operation.auxiliary, "cublasLt: the auxiliary matrix");
}

double scalar(const void* value, std::int32_t type) {
  return type == CUDA_R_64F ? *static_cast<const double*>(value) : *static_cast<const float*>(value);
}

}  // namespace

}  // namespace emulated::cublaslt

using namespace emulated::cublaslt;

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  if (!handle) return CUBLAS_STATUS_INVALID_VALUE;
  *handle = reinterpret_cast<cublasLtHandle_t>(new int{0});
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete reinterpret_cast<int*>(handle);
  return CUBLAS_STATUS_SUCCESS;
}

std::size_t cublasLtGetVersion() { return CUBLAS_VERSION; }

const char* cublasLtGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    default: return "a status that the emulated cuBLASLt never gives";
  }
}

const char* cublasLtGetStatusString(cublasStatus_t status) { return cublasLtGetStatusName(status); }

cublasStatus_t cublasLtMatmulDescInit_internal(cublasLtMatmulDesc_t operation, std::size_t bytes,
                                               cublasComputeType_t compute_type, cudaDataType_t scale_type) {
  return initialise(operation, bytes, Operation{.compute_type = compute_type, .scale_type = scale_type});
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* operation, cublasComputeType_t compute_type,
                                        cudaDataType_t scale_type) {
  return create(operation, Operation{.compute_type = compute_type, .scale_type = scale_type});
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation) {
  delete operation;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t id,
                                              const void* value, std::size_t bytes) {
  return set_attribute({operation, operation_attributes(), id, __func__}, value, bytes);
}

cublasStatus_t cublasLtMatmulDescGetAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t id,
                                              void* value, std::size_t bytes, std::size_t* written) {
  return get_attribute({operation, operation_attributes(), id, __func__}, value, bytes, written);
}

cublasStatus_t cublasLtMatrixLayoutInit_internal(cublasLtMatrixLayout_t layout, std::size_t bytes, cudaDataType type,
                                                 std::uint64_t rows, std::uint64_t cols, std::int64_t ld) {
  return initialise(layout, bytes, Layout{.type = type, .rows = rows, .cols = cols, .ld = ld});
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, std::uint64_t rows,
                                          std::uint64_t cols, std::int64_t ld) {
  return create(layout, Layout{.type = type, .rows = rows, .cols = cols, .ld = ld});
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete layout;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t id,
                                                const void* value, std::size_t bytes) {
  return set_attribute({layout, layout_attributes(), id, __func__}, value, bytes);
}

cublasStatus_t cublasLtMatrixLayoutGetAttribute(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t id,
                                                void* value, std::size_t bytes, std::size_t* written) {
  return get_attribute({layout, layout_attributes(), id, __func__}, value, bytes, written);
}

cublasStatus_t cublasLtMatmulPreferenceInit_internal(cublasLtMatmulPreference_t preference, std::size_t bytes) {
  return initialise(preference, bytes, Preference{});
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  return create(preference, Preference{});
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete preference;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t id, const void* value,
                                                    std::size_t bytes) {
  return set_attribute({preference, preference_attributes(), id, __func__}, value, bytes);
}

cublasStatus_t cublasLtMatmulPreferenceGetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t id, void* value,
                                                    std::size_t bytes, std::size_t* written) {
  return get_attribute({preference, preference_attributes(), id, __func__}, value, bytes, written);
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int requested,
                                              cublasLtMatmulHeuristicResult_t* results, int* returned) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  const Descriptors descriptors{operation, a, b, c, d};
  if (!descriptors.complete() || !preference || requested < 1 || !results || !returned)
    return CUBLAS_STATUS_INVALID_VALUE;
  *returned = 0;
  const auto wanted = read<Preference>(preference);
  if (wanted.search_mode != CUBLASLT_SEARCH_BEST_FIT)
    return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "search mode %u is not known", wanted.search_mode);
  const Problem problem = descriptors.problem();
  if (const auto status = check(problem)) return status;
  *returned = std::min(requested, result_count());
  for (int i = 0; i < *returned; ++i) {
    const Plan plan = make_plan(problem, wanted, static_cast<std::uint64_t>(i));
    results[i] = {.workspaceSize = plan.workspace_bytes, .state = CUBLAS_STATUS_SUCCESS, .wavesCount = 1};
    std::memcpy(&results[i].algo, &plan, sizeof plan);
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout,
                              const void* beta, const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              std::size_t workspace_bytes, cudaStream_t stream) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  const Descriptors descriptors{operation, a_layout, b_layout, c_layout, d_layout};
  if (!descriptors.complete() || !alpha || !beta) return CUBLAS_STATUS_INVALID_VALUE;
  const Problem problem = descriptors.problem();
  Plan plan{};
  if (algorithm) std::memcpy(&plan, algorithm, sizeof plan);
  Operands operands{a, b, c, d, workspace, workspace_bytes};
  if (const auto status = check(problem, algorithm ? &plan : nullptr, operands)) return status;
  require_device_memory(problem, operands);
  operands.workspace_bytes = plan.workspace_bytes;  // the part that the algorithm uses
  const double by = scalar(alpha, problem.operation.scale_type);
  const double keep = scalar(beta, problem.operation.scale_type);
  const Variant variant = variant_of(problem, plan);
  const auto error = emulated::enqueue(stream, [=] {
    require_device_memory(problem, operands);  // again: a replay may run after the memory is freed
    touch_operands(problem, operands, keep);
    multiply(problem, operands, by, keep, variant);
  });
  return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
