#include "kernels/libraries.hpp"

#include <sstream>

#include <cblas.h>
#include <fmt/core.h>
#include <gnu/libc-version.h>
#include <oneapi/dnnl/dnnl.h>

#include "kernels/cpu/loops/loops.hpp"

namespace recombine {

namespace {

/// Returns "0.3.21" for the text "OpenBLAS 0.3.21 DYNAMIC_ARCH NO_AFFINITY Zen MAX_THREADS=64".
std::string openblas_version() {
  std::istringstream words(openblas_get_config());
  std::string name;
  std::string version;
  words >> name >> version;
  return version;
}

}  // namespace

std::vector<Library> kernel_libraries() {
  const dnnl_version_t& dnnl = *dnnl_version();
  return {{"oneDNN", fmt::format("{}.{}.{}", dnnl.major, dnnl.minor, dnnl.patch)},
          {"OpenBLAS", openblas_version()},
          {"glibc", gnu_get_libc_version()}};
}

std::string instruction_set() {
  const std::string level = cpu::loops().instruction_set;
  return level == "v4" ? "AVX-512" : level == "v3" ? "AVX2" : "SSE4.2";
}

}  // namespace recombine
