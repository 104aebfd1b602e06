#pragma once

#include <cstdint>
#include <optional>

namespace recombine::test {

/// Calls and work that this process has given to the emulated GPU since its start.
struct CudaCounts {
  std::int64_t kernel_launches = 0;  ///< a product of cuBLASLt or a group of NCCL is one; a replay counts each node
  std::int64_t graph_launches = 0;   ///< calls of cudaGraphLaunch
  std::int64_t copies = 0;           ///< cudaMemcpyAsync, and its nodes at each replay
  std::int64_t pageable_copies = 0;  ///< those of them that read or write memory that is neither pinned nor a GPU's
  std::int64_t fills = 0;            ///< cudaMemsetAsync, and its nodes at each replay
  std::int64_t allocations = 0;      ///< cudaMalloc, cudaMallocAsync, cudaMallocHost
  std::int64_t host_synchronisations = 0;  ///< calls that block the host until work is done
  std::int64_t polls = 0;                  ///< cudaEventQuery, cudaStreamQuery

  CudaCounts operator-(const CudaCounts& earlier) const;
};

/// Empty unless the process runs on the emulation (tests/cuda_on_cpu): a real GPU counts nothing.
std::optional<CudaCounts> cuda_counts();

}  // namespace recombine::test
