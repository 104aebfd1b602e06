#include "kernels/cuda/gemm_cublaslt.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "kernels/cuda/choose_fastest.hpp"
#include "kernels/cuda/copy_along_k.hpp"
#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/gemm_shape.hpp"

namespace recombine::cuda {

namespace {

// What NVIDIA recommends: 32 MiB from Hopper on, 4 MiB before.
constexpr std::size_t kLargeWorkspace = std::size_t{32} << 20;
constexpr std::size_t kSmallWorkspace = std::size_t{4} << 20;
constexpr int kMostAlgorithms = 8;

}  // namespace

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
  if (found == plans_.end()) found = plans_.emplace(key, make_plan(stream, gemm)).first;
  if (!found->second) return false;
  const Plan& plan = *found->second;
  check(enqueue(plan, gemm, place_of(stream, plan, gemm)), "cublasLtMatmul");
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
          .epilogue = cublaslt_epilogue(gemm),
          .alignments = alignments_of(gemm)};
}

cublasComputeType_t GemmCublasLt::compute_type(DataType operand) const {
  if (operand == DataType::f64) return CUBLAS_COMPUTE_64F;
  const bool tf32 = operand == DataType::f32 && f32_products_ == F32Products::tf32;
  return tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

std::vector<GemmCublasLt::Plan> GemmCublasLt::candidates(const Gemm& gemm) const {
  std::vector<Plan> plans = candidates(gemm, Operands::in_place);
  if (compute_type(gemm.a.type) != CUBLAS_COMPUTE_32F_FAST_TF32 || !neither_along_k(gemm)) return plans;
  const std::vector<Plan> on_copies = candidates(with_b_along_k(gemm, nullptr), Operands::b_copied_along_k);
  // Right after the heuristic's first: the time for trials may end before the last candidates are tried.
  plans.insert(plans.begin() + std::min<std::ptrdiff_t>(1, std::ssize(plans)), on_copies.begin(), on_copies.end());
  return plans;
}

std::vector<GemmCublasLt::Plan> GemmCublasLt::candidates(const Gemm& gemm, Operands operands) const {
  const auto product = std::make_shared<const CublasLtProduct>(gemm, compute_type(gemm.a.type));
  std::vector<Plan> plans;
  for (const CublasLtAlgorithm& algorithm : product->algorithms({.library = library_.get(),
                                            .alignments = alignments_of(gemm),
                                            .workspace_bytes = workspace_bytes_,
                                            .results = kMostAlgorithms})) {
    plans.push_back({operands, product, algorithm});
  }
  return plans;
}

/// A trial with enough memory for every plan.
GemmTrial::Request GemmCublasLt::trial_of(const Gemm& gemm, const std::vector<Plan>& plans) {
  GemmTrial::Request request = {.gemm = gemm};
  for (const Plan& plan : plans) {
    request.workspace_bytes =
        std::max(request.workspace_bytes, static_cast<std::int64_t>(plan.algorithm.workspace_bytes));
    if (plan.operands == Operands::b_copied_along_k) request.operand_copy_bytes = b_along_k_bytes(gemm);
  }
  return request;
}

std::optional<GemmCublasLt::Plan> GemmCublasLt::make_plan(cudaStream_t stream, const Gemm& gemm) const {
  const std::vector<Plan> plans = candidates(gemm);
  if (plans.empty()) return std::nullopt;
  const bool relu = gemm.activation == Activation::relu;
  if (plans.size() == 1 && !relu) return plans.front();
  const auto trial = GemmTrial::make(trial_of(gemm, plans));
  if (!trial) return relu ? std::nullopt : std::optional(plans.front());
  wait_until_quiet(stream);
  const Place place = {trial->stream(), trial->workspace(), trial->operand_copies()};
  const auto plan_of = [&](int i) -> const Plan& { return plans[static_cast<std::size_t>(i)]; };
  // The library does not document what its ReLU does with NaN, and algorithms differ. So test it: alpha = NaN.
  const auto try_out = [&](int i) {
    Gemm product = trial->gemm();
    if (relu) product.alpha = std::numeric_limits<double>::quiet_NaN();
    return enqueue(plan_of(i), product, place) == CUBLAS_STATUS_SUCCESS && (!relu || trial->first_is_nan());
  };
  const auto run = [&](int i) { check(enqueue(plan_of(i), trial->gemm(), place), "cublasLtMatmul"); };
  const auto chosen =
      choose_fastest(trial->stream(), {.count = static_cast<int>(plans.size()), .try_out = try_out, .enqueue = run});
  return chosen ? std::optional(plan_of(*chosen)) : std::nullopt;
}

cublasStatus_t GemmCublasLt::enqueue(const Plan& plan, const Gemm& gemm, const Place& place) const {
  const CublasLtProduct::Execution execution = {library_.get(), plan.algorithm, place.workspace, place.stream};
  if (plan.operands == Operands::in_place) return plan.product->enqueue(execution, gemm);
  return plan.product->enqueue(execution, copy_b_along_k(place.stream, gemm, place.operand_copies));
}

GemmCublasLt::Place GemmCublasLt::place_of(cudaStream_t stream, const Plan& plan, const Gemm& gemm) {
  StreamMemory& memory = memory_[stream];
  Place place = {stream, nullptr, nullptr};
  if (plan.algorithm.workspace_bytes > 0) {
    if (!memory.workspace.get()) {
      check(cudaMallocAsync(memory.workspace.out(), workspace_bytes_, stream),
            "cudaMallocAsync of cuBLASLt's workspace");
    }
    place.workspace = memory.workspace.get();
  }
  if (plan.operands == Operands::in_place) return place;
  const std::int64_t bytes = b_along_k_bytes(gemm);
  if (bytes > memory.operand_copy_bytes) {
    check(cudaMallocAsync(memory.operand_copies.emplace_back().out(), static_cast<std::size_t>(bytes), stream),
          "cudaMallocAsync for the copy of an operand");
    memory.operand_copy_bytes = bytes;
  }
  place.operand_copies = static_cast<std::byte*>(memory.operand_copies.back().get());
  return place;
}

}  // namespace recombine::cuda
