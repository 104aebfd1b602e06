#include "tests/cuda_on_cpu/libraries/cublaslt/descriptors.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace emulated::cublaslt {

namespace {

constexpr std::array kOperation{
    Attribute{CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, offsetof(Operation, compute_type), 4},
    Attribute{CUBLASLT_MATMUL_DESC_SCALE_TYPE, offsetof(Operation, scale_type), 4},
    Attribute{CUBLASLT_MATMUL_DESC_POINTER_MODE, offsetof(Operation, pointer_mode), 4},
    Attribute{CUBLASLT_MATMUL_DESC_TRANSA, offsetof(Operation, trans_a), 4},
    Attribute{CUBLASLT_MATMUL_DESC_TRANSB, offsetof(Operation, trans_b), 4},
    Attribute{CUBLASLT_MATMUL_DESC_TRANSC, offsetof(Operation, trans_c), 4},
    Attribute{CUBLASLT_MATMUL_DESC_EPILOGUE, offsetof(Operation, epilogue), 4},
    Attribute{CUBLASLT_MATMUL_DESC_BIAS_POINTER, offsetof(Operation, bias), 8},
    Attribute{CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, offsetof(Operation, bias_type), 4},
    Attribute{CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, offsetof(Operation, auxiliary), 8},
    Attribute{CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, offsetof(Operation, auxiliary_ld), 8},
    Attribute{CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_DATA_TYPE, offsetof(Operation, auxiliary_type), 4},
    Attribute{CUBLASLT_MATMUL_DESC_SM_COUNT_TARGET, offsetof(Operation, multiprocessors), 4}};

constexpr std::array kLayout{Attribute{CUBLASLT_MATRIX_LAYOUT_TYPE, offsetof(Layout, type), 4},
                             Attribute{CUBLASLT_MATRIX_LAYOUT_ORDER, offsetof(Layout, order), 4},
                             Attribute{CUBLASLT_MATRIX_LAYOUT_ROWS, offsetof(Layout, rows), 8},
                             Attribute{CUBLASLT_MATRIX_LAYOUT_COLS, offsetof(Layout, cols), 8},
                             Attribute{CUBLASLT_MATRIX_LAYOUT_LD, offsetof(Layout, ld), 8},
                             Attribute{CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, offsetof(Layout, batch_count), 4},
                             Attribute{CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, offsetof(Layout, batch_stride), 8}};

constexpr std::array kPreference{
    Attribute{CUBLASLT_MATMUL_PREF_SEARCH_MODE, offsetof(Preference, search_mode), 4},
    Attribute{CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, offsetof(Preference, max_workspace), 8},
    Attribute{CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, offsetof(Preference, reductions), 4},
    Attribute{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, offsetof(Preference, alignment_a), 4},
    Attribute{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, offsetof(Preference, alignment_b), 4},
    Attribute{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, offsetof(Preference, alignment_c), 4},
    Attribute{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, offsetof(Preference, alignment_d), 4},
    Attribute{CUBLASLT_MATMUL_PREF_MAX_WAVES_COUNT, offsetof(Preference, max_waves), 4}};

const Attribute* find(const AttributeAccess& access) {
  const auto found = std::ranges::find(access.attributes, access.id, &Attribute::id);
  if (found != access.attributes.end()) return &*found;
  refuse(CUBLAS_STATUS_NOT_SUPPORTED, "%s: attribute %d is not known", access.call, access.id);
  return nullptr;
}

char* place(const AttributeAccess& access, const Attribute& attribute) {
  return static_cast<char*>(access.descriptor) + attribute.offset;
}

}  // namespace

std::span<const Attribute> operation_attributes() { return kOperation; }
std::span<const Attribute> layout_attributes() { return kLayout; }
std::span<const Attribute> preference_attributes() { return kPreference; }

cublasStatus_t set_attribute(const AttributeAccess& access, const void* value, std::size_t bytes) {
  const Attribute* const attribute = find(access);
  if (!attribute) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (!access.descriptor || !value || bytes != attribute->bytes) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(place(access, *attribute), value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t get_attribute(const AttributeAccess& access, void* value, std::size_t bytes, std::size_t* written) {
  const Attribute* const attribute = find(access);
  if (!attribute) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (!access.descriptor || (bytes == 0 && !written)) return CUBLAS_STATUS_INVALID_VALUE;
  if (bytes != 0 && (!value || bytes != attribute->bytes)) return CUBLAS_STATUS_INVALID_VALUE;
  if (written) *written = attribute->bytes;
  if (bytes != 0) std::memcpy(value, place(access, *attribute), bytes);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t refuse(cublasStatus_t status, const char* format, ...) {
  std::array<char, 256> text{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text.data(), text.size(), format, arguments);
  va_end(arguments);
  std::fprintf(stderr, "cuda_on_cpu: cublasLt: %s\n", text.data());
  return status;
}

}  // namespace emulated::cublaslt
