#include "kernels/cuda/workspaces.hpp"

#include "kernels/cuda/cuda_calls.hpp"

namespace recombine::cuda {

namespace {

constexpr std::size_t kTicketBytes = Workspace::kTickets * sizeof(unsigned);
constexpr std::size_t kBytes = kTicketBytes + Workspace::kPartsBytes;

}  // namespace

Workspace Workspaces::of(cudaStream_t stream) {
  Memory& memory = memory_[stream];
  if (!memory.get()) {
    check(cudaMallocAsync(memory.out(), kBytes, stream), "cudaMallocAsync of a workspace for sums");
    check(cudaMemsetAsync(memory.get(), 0, kTicketBytes, stream), "cudaMemsetAsync of a workspace for sums");
  }
  return {static_cast<unsigned*>(memory.get()), static_cast<std::byte*>(memory.get()) + kTicketBytes};
}

}  // namespace recombine::cuda
