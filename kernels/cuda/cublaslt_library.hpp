#pragma once

#include <cublasLt.h>

#include "kernels/cuda/handle.hpp"

namespace recombine::cuda {

/// The functions of cuBLASLt that products need.
struct CublasLtLibrary {
  decltype(&cublasLtCreate) create;
  decltype(&cublasLtDestroy) destroy;
  decltype(&cublasLtGetStatusName) status_name;
  decltype(&cublasLtGetStatusString) status_string;
  decltype(&cublasLtMatmulDescCreate) operation_create;
  decltype(&cublasLtMatmulDescDestroy) operation_destroy;
  decltype(&cublasLtMatmulDescSetAttribute) operation_set;
  decltype(&cublasLtMatrixLayoutCreate) layout_create;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set;
  decltype(&cublasLtMatmulAlgoGetHeuristic) find_algorithm;
  decltype(&cublasLtMatmul) multiply;
};

/// Loads the library at the first call, not with the program: loading costs each rank 0.1 s and 90 MB of memory, also
/// if the rank computes on the CPU. @throws Error if the library is not found
const CublasLtLibrary& cublaslt();

inline auto destroy_library(cublasLtHandle_t library) { return cublaslt().destroy(library); }
inline auto destroy_operation(cublasLtMatmulDesc_t operation) { return cublaslt().operation_destroy(operation); }
inline auto destroy_layout(cublasLtMatrixLayout_t layout) { return cublaslt().layout_destroy(layout); }
inline auto destroy_preference(cublasLtMatmulPreference_t given) { return cublaslt().preference_destroy(given); }

using CublasLtHandle = Handle<cublasLtHandle_t, destroy_library>;
using CublasLtOperation = Handle<cublasLtMatmulDesc_t, destroy_operation>;
using CublasLtLayout = Handle<cublasLtMatrixLayout_t, destroy_layout>;
using CublasLtPreference = Handle<cublasLtMatmulPreference_t, destroy_preference>;

}  // namespace recombine::cuda
