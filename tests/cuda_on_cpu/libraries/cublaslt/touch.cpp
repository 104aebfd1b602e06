#include "tests/cuda_on_cpu/libraries/cublaslt/matmul.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated::cublaslt {

namespace {

/// `lines` runs of `bytes`, `stride` bytes apart.
struct Runs {
  const void* memory;
  std::uint64_t lines, bytes, stride;
};

void touch_runs(const Runs& runs, Access access) {
  for (std::uint64_t line = 0; line < runs.lines; ++line)
    touch(static_cast<const char*>(runs.memory) + line * runs.stride, runs.bytes, access);
}

Runs runs_of(const void* memory, const Layout& x) {
  const bool by_columns = x.order == CUBLASLT_ORDER_COL;
  const auto element = bytes_of(x.type);
  return {.memory = memory,
          .lines = by_columns ? x.cols : x.rows,
          .bytes = (by_columns ? x.rows : x.cols) * element,
          .stride = static_cast<std::uint64_t>(x.ld) * element};
}

/// A column of a mask is written up to its leading dimension: the library may also write the bits after D's rows.
void touch_auxiliary(const Problem& p) {
  const bool mask = has_relu_mask(p);
  const auto ld = static_cast<std::uint64_t>(p.operation.auxiliary_ld);
  const bool read = p.has(kReluGradient) || p.has(kGeluGradient);
  const auto stride = mask ? ld / 8 : ld * bytes_of(p.d.type);
  const auto used = mask ? (p.m() + 7) / 8 : p.m() * bytes_of(p.d.type);
  touch_runs({p.operation.auxiliary, p.n(), mask && !read ? stride : used, stride},
             read ? Access::read : Access::write);
}

}  // namespace

void touch_operands(const Problem& p, const Operands& x, double beta) {
  touch_runs(runs_of(x.a, p.a), Access::read);
  touch_runs(runs_of(x.b, p.b), Access::read);
  if (beta != 0) touch_runs(runs_of(x.c, p.c), Access::read);
  touch_runs(runs_of(x.d, p.d), Access::write);
  if (x.workspace_bytes > 0) touch(x.workspace, x.workspace_bytes, Access::write);
  if (p.has(kAuxiliary)) touch_auxiliary(p);
  if (!has_bias(p)) return;
  const auto length = p.has(CUBLASLT_EPILOGUE_BGRADB) ? p.n() : p.m();
  touch(p.operation.bias, length * bytes_of(p.d.type), p.has(CUBLASLT_EPILOGUE_BIAS) ? Access::read : Access::write);
}

}  // namespace emulated::cublaslt
