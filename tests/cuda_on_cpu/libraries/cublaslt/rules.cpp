#include "tests/cuda_on_cpu/libraries/cublaslt/rules.hpp"

#include <algorithm>
#include <array>

namespace emulated::cublaslt {

namespace {

constexpr std::uint64_t kMagic = 0x656d756c61746564;
constexpr std::uint64_t kWorkspaceBytes = 4096;  // requested if allowed, so that the rules of workspaces are tested
constexpr std::uintptr_t kWorkspaceAlignment = 256;

struct Types {
  std::int32_t compute, scale, ab, cd;
};
constexpr std::array kTypes{Types{CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_32F, CUDA_R_32F},
                            Types{CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_16BF, CUDA_R_16BF},
                            Types{CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_16BF, CUDA_R_32F},
                            Types{CUBLAS_COMPUTE_32F_FAST_TF32, CUDA_R_32F, CUDA_R_32F, CUDA_R_32F},
                            Types{CUBLAS_COMPUTE_64F, CUDA_R_64F, CUDA_R_64F, CUDA_R_64F}};

constexpr std::array<std::uint32_t, 16> kEpilogues{
    CUBLASLT_EPILOGUE_DEFAULT,   CUBLASLT_EPILOGUE_BIAS,        CUBLASLT_EPILOGUE_RELU,
    CUBLASLT_EPILOGUE_RELU_BIAS, CUBLASLT_EPILOGUE_RELU_AUX,    CUBLASLT_EPILOGUE_RELU_AUX_BIAS,
    CUBLASLT_EPILOGUE_DRELU,     CUBLASLT_EPILOGUE_DRELU_BGRAD, CUBLASLT_EPILOGUE_GELU,
    CUBLASLT_EPILOGUE_GELU_BIAS, CUBLASLT_EPILOGUE_GELU_AUX,    CUBLASLT_EPILOGUE_GELU_AUX_BIAS,
    CUBLASLT_EPILOGUE_DGELU,     CUBLASLT_EPILOGUE_DGELU_BGRAD, CUBLASLT_EPILOGUE_BGRADA,
    CUBLASLT_EPILOGUE_BGRADB};

cublasStatus_t check_layout(char name, const Layout& x) {
  if (x.order != CUBLASLT_ORDER_COL && x.order != CUBLASLT_ORDER_ROW)
    return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "%c's order %d is not known", name, x.order);
  if (x.batch_count != 1) return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "batches are not known");
  if (x.rows == 0 || x.cols == 0)
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "%c is empty: the library takes no empty matrix", name);
  const std::uint64_t line = x.order == CUBLASLT_ORDER_COL ? x.rows : x.cols;
  if (x.ld >= 0 && static_cast<std::uint64_t>(x.ld) >= line) return CUBLAS_STATUS_SUCCESS;
  return refuse(CUBLAS_STATUS_INVALID_VALUE, "%c's leading dimension is %ld, not at least %lu", name, x.ld, line);
}

cublasStatus_t check_shapes(const Problem& p) {
  if (p.c.rows != p.d.rows || p.c.cols != p.d.cols || p.c.order != p.d.order)
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "C and D differ in shape or order");
  const std::uint64_t k = p.operation.trans_b == CUBLAS_OP_N ? p.b.rows : p.b.cols;
  if (p.k() == k && p.d.rows == p.m() && p.d.cols == p.n()) return CUBLAS_STATUS_SUCCESS;
  return refuse(CUBLAS_STATUS_INVALID_VALUE, "op(A) is %lux%lu, op(B) %lux%lu, D %lux%lu", p.m(), p.k(), k, p.n(),
                p.d.rows, p.d.cols);
}

cublasStatus_t check_types(const Problem& p) {
  const auto& op = p.operation;
  const auto known = [&](const Types& types) {
    return types.compute == op.compute_type && types.scale == op.scale_type && types.ab == p.a.type &&
           types.ab == p.b.type && types.cd == p.c.type && types.cd == p.d.type;
  };
  if (!std::ranges::any_of(kTypes, known))
    return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "compute type %d with scale %d, A %d, B %d, C %d, D %d is not known",
                  op.compute_type, op.scale_type, p.a.type, p.b.type, p.c.type, p.d.type);
  for (const std::int32_t trans : {op.trans_a, op.trans_b})
    if (trans != CUBLAS_OP_N && trans != CUBLAS_OP_T)
      return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "transpose %d is not known", trans);
  if (op.trans_c != CUBLAS_OP_N) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (op.pointer_mode == CUBLASLT_POINTER_MODE_HOST) return CUBLAS_STATUS_SUCCESS;
  return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "pointer mode %d is not known", op.pointer_mode);
}

cublasStatus_t check_bias(const Problem& p) {
  const auto& op = p.operation;
  if (!has_bias(p)) return CUBLAS_STATUS_SUCCESS;
  if (!op.bias) return refuse(CUBLAS_STATUS_INVALID_VALUE, "epilogue %u without BIAS_POINTER", op.epilogue);
  if (op.bias_type != -1 && op.bias_type != p.d.type)
    return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "the bias has type %d, D type %d", op.bias_type, p.d.type);
  if (reinterpret_cast<std::uintptr_t>(op.bias) % bytes_of(p.d.type) == 0) return CUBLAS_STATUS_SUCCESS;
  return refuse(CUBLAS_STATUS_INVALID_VALUE, "the bias is not aligned to its elements");
}

cublasStatus_t check_auxiliary(const Problem& p) {
  const auto& op = p.operation;
  if (!p.has(kAuxiliary)) return CUBLAS_STATUS_SUCCESS;
  if (!op.auxiliary)
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "epilogue %u without EPILOGUE_AUX_POINTER", op.epilogue);
  const std::int64_t multiple = has_relu_mask(p) ? 128 : 8;
  if (op.auxiliary_ld % multiple != 0 || op.auxiliary_ld < static_cast<std::int64_t>(p.m()))
    return refuse(CUBLAS_STATUS_INVALID_VALUE,
                  "EPILOGUE_AUX_LD is %ld, not a multiple of %ld and at least %lu (D's rows)", op.auxiliary_ld,
                  multiple, p.m());
  if (has_relu_mask(p)) return CUBLAS_STATUS_SUCCESS;
  if (op.auxiliary_type != -1 && op.auxiliary_type != p.d.type)
    return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "the auxiliary matrix has type %d, D type %d", op.auxiliary_type,
                  p.d.type);
  if (reinterpret_cast<std::uintptr_t>(op.auxiliary) % bytes_of(p.d.type) == 0) return CUBLAS_STATUS_SUCCESS;
  return refuse(CUBLAS_STATUS_INVALID_VALUE, "the auxiliary matrix is not aligned to its elements");
}

cublasStatus_t check_epilogue(const Problem& p) {
  const std::uint32_t epilogue = p.operation.epilogue;
  if (std::ranges::find(kEpilogues, epilogue) == kEpilogues.end())
    return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "epilogue %u is not known", epilogue);
  if (epilogue == CUBLASLT_EPILOGUE_DEFAULT) return CUBLAS_STATUS_SUCCESS;
  if (p.d.type == CUDA_R_64F) return CUBLAS_STATUS_NOT_SUPPORTED;
  // Bias and auxiliary matrix are documented for D by columns only, not for D by rows.
  if (p.d.order != CUBLASLT_ORDER_COL && epilogue != CUBLASLT_EPILOGUE_RELU && epilogue != CUBLASLT_EPILOGUE_GELU)
    return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "epilogue %u for D in row order is not known", epilogue);
  if (const auto status = check_bias(p)) return status;
  return check_auxiliary(p);
}

/// The alignment of `pointer` in bytes, at most 256, the largest that a kernel could use.
std::uint32_t alignment_of(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer) | 256;
  return static_cast<std::uint32_t>(address & (~address + 1));
}

std::uint64_t kernel_of(const Problem& p) {
  const auto& op = p.operation;
  std::uint64_t kernel = 0;
  for (const std::int64_t part : {std::int64_t{op.compute_type}, std::int64_t{op.trans_a}, std::int64_t{op.trans_b},
                                  std::int64_t{op.epilogue}, std::int64_t{p.a.type}, std::int64_t{p.d.type},
                                  std::int64_t{p.a.order}, std::int64_t{p.b.order}, std::int64_t{p.d.order}})
    kernel = (kernel ^ static_cast<std::uint64_t>(part)) * 0x100000001b3;
  return kernel;
}

cublasStatus_t check_alignment(const char* name, const void* pointer, std::uint32_t alignment) {
  if (alignment_of(pointer) >= std::min<std::uint32_t>(alignment, 256)) return CUBLAS_STATUS_SUCCESS;
  return refuse(CUBLAS_STATUS_INVALID_VALUE, "%s is at %p: the algorithm was chosen for an alignment of %u bytes", name,
                pointer, alignment);
}

cublasStatus_t check_plan(const Problem& p, const Plan& plan, const Operands& x) {
  if (plan.magic != kMagic)
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "the algorithm does not come from the heuristic");
  if (plan.kernel != kernel_of(p))
    return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "the algorithm was chosen for other types, orders or another epilogue");
  if (x.workspace_bytes < plan.workspace_bytes || (plan.workspace_bytes > 0 && !x.workspace))
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "the workspace has %zu bytes, the algorithm needs %lu",
                  x.workspace_bytes, plan.workspace_bytes);
  if (const auto status = check_alignment("A", x.a, plan.alignment_a)) return status;
  if (const auto status = check_alignment("B", x.b, plan.alignment_b)) return status;
  if (const auto status = check_alignment("C", x.c, plan.alignment_c)) return status;
  if (const auto status = check_alignment("D", x.d, plan.alignment_d)) return status;
  if (has_bias(p))
    if (const auto status = check_alignment("the bias", p.operation.bias, plan.alignment_bias)) return status;
  if (!p.has(kAuxiliary)) return CUBLAS_STATUS_SUCCESS;
  return check_alignment("the auxiliary matrix", p.operation.auxiliary, plan.alignment_auxiliary);
}

}  // namespace

bool has_bias(const Problem& p) {
  return (p.operation.epilogue &
          (CUBLASLT_EPILOGUE_BIAS | kBiasGradient | CUBLASLT_EPILOGUE_BGRADA | CUBLASLT_EPILOGUE_BGRADB)) != 0;
}

bool has_relu_mask(const Problem& p) {
  return p.has(kAuxiliary) && (p.has(CUBLASLT_EPILOGUE_RELU) || p.has(kReluGradient));
}

std::size_t bytes_of(std::int32_t type) {
  switch (type) {
    case CUDA_R_16BF: return 2;
    case CUDA_R_32F: return 4;
    case CUDA_R_64F: return 8;
    default: return 0;
  }
}

cublasStatus_t check(const Problem& p) {
  if (const auto status = check_types(p)) return status;
  if (const auto status = check_layout('A', p.a)) return status;
  if (const auto status = check_layout('B', p.b)) return status;
  if (const auto status = check_layout('C', p.c)) return status;
  if (const auto status = check_layout('D', p.d)) return status;
  if (const auto status = check_shapes(p)) return status;
  return check_epilogue(p);
}

Plan make_plan(const Problem& p, const Preference& preference, std::uint64_t result) {
  return {.magic = kMagic,
          .kernel = kernel_of(p),
          .result = result,
          .workspace_bytes = std::min(kWorkspaceBytes, preference.max_workspace),
          .alignment_a = preference.alignment_a,
          .alignment_b = preference.alignment_b,
          .alignment_c = preference.alignment_c,
          .alignment_d = preference.alignment_d,
          .alignment_bias = alignment_of(p.operation.bias),
          .alignment_auxiliary = alignment_of(p.operation.auxiliary),
          .reductions = preference.reductions};
}

cublasStatus_t check(const Problem& p, const Plan* plan, const Operands& x) {
  if (!x.a || !x.b || !x.c || !x.d)
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "A, B, C or D is null (where beta is 0, C may be D)");
  if (const auto status = check(p)) return status;
  const std::array<std::pair<const void*, std::int32_t>, 4> pointers{
      {{x.a, p.a.type}, {x.b, p.b.type}, {x.c, p.c.type}, {x.d, p.d.type}}};
  for (const auto& [pointer, type] : pointers)
    if (reinterpret_cast<std::uintptr_t>(pointer) % bytes_of(type) != 0)
      return refuse(CUBLAS_STATUS_INVALID_VALUE, "a matrix at %p is not aligned to its elements", pointer);
  if (x.c == x.d && p.c.ld != p.d.ld)
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "C is D, but their leading dimensions are %ld and %ld", p.c.ld, p.d.ld);
  if (reinterpret_cast<std::uintptr_t>(x.workspace) % kWorkspaceAlignment != 0)
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "the workspace at %p is not aligned to 256 bytes", x.workspace);
  return plan ? check_plan(p, *plan, x) : CUBLAS_STATUS_SUCCESS;
}

}  // namespace emulated::cublaslt
