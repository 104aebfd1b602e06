#include "src/program/start.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <unistd.h>

#include "kernels/error.hpp"
#include "src/program/build_id.hpp"
#include "src/program/command_line.hpp"

namespace recombine {

namespace {

/// Variables that change arithmetic, or choose an algorithm that must be the same on all ranks. A final * stands for
/// any characters. Variables that may differ between hosts without an effect on results are left out: OMP_NUM_THREADS,
/// CUDA_VISIBLE_DEVICES, LD_LIBRARY_PATH (library versions are compared), names of network interfaces.
constexpr std::array<std::string_view, 22> kVariables = {
    "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE",  // f32 products in bf16 or tf32
    "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA",                  // other kernels of oneDNN: sums in another order
    "ONEDNN_CPU_ISA_HINTS", "DNNL_CPU_ISA_HINTS",              // the same
    "OPENBLAS_CORETYPE",                                       // other kernels of OpenBLAS
    "GLIBC_TUNABLES",                                          // glibc.cpu.hwcaps: other variants of exp, tanh ...
    "NVIDIA_TF32_OVERRIDE",                                    // 0: no tf32 in any product of cuBLAS
    "CUBLAS_WORKSPACE_CONFIG", "CUBLASLT_WORKSPACE_SIZE",      // which algorithms cuBLAS may take
    // NCCL does not compare these. With different values on some ranks it waits forever, or adds in another order.
    "NCCL_ALGO", "NCCL_PROTO", "NCCL_NTHREADS", "NCCL_BUFFSIZE", "NCCL_MIN_NCHANNELS", "NCCL_MAX_NCHANNELS",
    "NCCL_MIN_CTAS", "NCCL_MAX_CTAS", "NCCL_NVLS_ENABLE", "NCCL_COLLNET_ENABLE",
    "OMPI_MCA_coll_*",  // which algorithm a collective of MPI takes
};

bool matters(std::string_view name) {
  return std::ranges::any_of(kVariables, [&](std::string_view variable) {
    return variable.ends_with('*') ? name.starts_with(variable.substr(0, variable.size() - 1)) : name == variable;
  });
}

/// The listed variables that are set, sorted by name.
Facts environment() {
  Facts facts;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t end = text.find('=');
    if (end == std::string_view::npos || !matters(text.substr(0, end))) continue;
    facts.push_back({fmt::format("environment variable {}", text.substr(0, end)), std::string(text.substr(end + 1))});
  }
  std::ranges::sort(facts, {}, &Fact::name);
  return facts;
}

Facts self(std::string_view program) {
  Facts facts = {{"program", std::string(program)}, {"version", version()}, {"build", build_id()}};
  for (const auto& [name, number] : libraries()) facts.push_back({name, number});
  // Each rank of `train` updates its own copy of the weights. Other instructions round differently, so the copies would
  // become different. `matmul` has no copies.
  if (program == "train") facts.push_back({"instruction set", instruction_set()});
  std::ranges::move(environment(), std::back_inserter(facts));
  return facts;
}

}  // namespace

void agree_on_start(const Session& session, std::string_view program, const std::function<Facts()>& read_options) {
  Statement own{.where = Session::place(), .self = self(program)};
  try {
    own.facts = read_options();
  } catch (const InputError& error) {
    own.failure = error.what();
  }
  require_same_start(session, own);
  if (!own.failure.empty()) throw InputError(own.failure);
}

}  // namespace recombine
