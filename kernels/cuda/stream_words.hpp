#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

/// Stream memory operations of the CUDA driver: a GPU's stream waits for a word of pinned memory, or writes one. So it
/// takes turns with the host, and with GPUs of other processes that have pinned the same memory.
namespace recombine::cuda {

/// Work that is enqueued on `stream` from now on starts once *word >= value. The comparison is cyclic, so counts may
/// overflow. What the writer of the word wrote before it is visible to that work.
void wait_for_word(cudaStream_t stream, const std::uint32_t* word, std::uint32_t value);

/// Writes the word after all work that is enqueued on `stream` so far. Who reads the new value sees that work too.
void write_word(cudaStream_t stream, std::uint32_t* word, std::uint32_t value);

}  // namespace recombine::cuda
