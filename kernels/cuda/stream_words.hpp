#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

/// Stream memory operations of the CUDA driver: a GPU's stream waits for a word of pinned memory, or writes one. So the
/// stream synchronizes with the host, and with GPUs of other processes that have pinned the same memory.
namespace recombine::cuda {

/// Makes work that is enqueued on `stream` later start once *word >= value. The comparison is cyclic, so counts may
/// overflow. That work sees everything that the writer of the word wrote before the word.
void wait_for_word(cudaStream_t stream, const std::uint32_t* word, std::uint32_t value);

/// Writes the word after all work that is enqueued on `stream` so far. A reader of the new value also sees the results
/// of that work.
void write_word(cudaStream_t stream, std::uint32_t* word, std::uint32_t value);

}  // namespace recombine::cuda
