#include "tests/support/cuda_counts.hpp"

#include <dlfcn.h>

namespace recombine::test {

CudaCounts CudaCounts::operator-(const CudaCounts& earlier) const {
  return {.kernel_launches = kernel_launches - earlier.kernel_launches,
          .graph_launches = graph_launches - earlier.graph_launches,
          .copies = copies - earlier.copies,
          .pageable_copies = pageable_copies - earlier.pageable_copies,
          .fills = fills - earlier.fills,
          .allocations = allocations - earlier.allocations,
          .host_synchronisations = host_synchronisations - earlier.host_synchronisations,
          .polls = polls - earlier.polls};
}

std::optional<CudaCounts> cuda_counts() {
  void* const found = dlsym(RTLD_DEFAULT, "emulated_cuda_counts");
  if (!found) return std::nullopt;
  CudaCounts counts;
  reinterpret_cast<void (*)(CudaCounts*)>(found)(&counts);
  return counts;
}

}  // namespace recombine::test
