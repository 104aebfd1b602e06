#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <cublasLt.h>

namespace emulated::cublaslt {

/// Contents of the library's opaque descriptors: the attributes that the stand-in knows.
struct Operation {
  std::int32_t compute_type = 0;
  std::int32_t scale_type = 0;
  std::int32_t pointer_mode = CUBLASLT_POINTER_MODE_HOST;
  std::int32_t trans_a = CUBLAS_OP_N;
  std::int32_t trans_b = CUBLAS_OP_N;
  std::int32_t trans_c = CUBLAS_OP_N;
  std::uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  std::int32_t bias_type = -1;
  std::int32_t auxiliary_type = -1;
  std::int32_t multiprocessors = 0;
  void* bias = nullptr;
  void* auxiliary = nullptr;
  std::int64_t auxiliary_ld = 0;
};

struct Layout {
  std::int32_t type = 0;
  std::int32_t order = CUBLASLT_ORDER_COL;
  std::uint64_t rows = 0;
  std::uint64_t cols = 0;
  std::int64_t ld = 0;
  std::int32_t batch_count = 1;
  std::int64_t batch_stride = 0;
};

struct Preference {
  std::uint32_t search_mode = CUBLASLT_SEARCH_BEST_FIT;
  std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_MASK;
  std::uint64_t max_workspace = 0;
  std::uint32_t alignment_a = 256;
  std::uint32_t alignment_b = 256;
  std::uint32_t alignment_c = 256;
  std::uint32_t alignment_d = 256;
  float max_waves = 0;
};

static_assert(sizeof(Operation) <= sizeof(cublasLtMatmulDescOpaque_t));
static_assert(sizeof(Layout) <= sizeof(cublasLtMatrixLayoutOpaque_t));
static_assert(sizeof(Preference) <= sizeof(cublasLtMatmulPreferenceOpaque_t));

/// One attribute: its place in its descriptor.
struct Attribute {
  int id;
  std::size_t offset;
  std::size_t bytes;
};

std::span<const Attribute> operation_attributes();
std::span<const Attribute> layout_attributes();
std::span<const Attribute> preference_attributes();

/// A read or write of one attribute of `descriptor`. `call` is the program's call, for error messages.
struct AttributeAccess {
  void* descriptor;
  std::span<const Attribute> attributes;
  int id;
  const char* call;
};

/// Returns INVALID_VALUE unless `bytes` is exactly the attribute's size. Returns NOT_SUPPORTED, with a line on stderr,
/// if the stand-in does not know the attribute.
cublasStatus_t set_attribute(const AttributeAccess& access, const void* value, std::size_t bytes);
/// With `bytes` = 0 it only sets `written` to the attribute's size.
cublasStatus_t get_attribute(const AttributeAccess& access, void* value, std::size_t bytes, std::size_t* written);

/// Prints a line on stderr, and returns `status`.
cublasStatus_t refuse(cublasStatus_t status, const char* format, ...) __attribute__((format(printf, 2, 3)));

}  // namespace emulated::cublaslt
