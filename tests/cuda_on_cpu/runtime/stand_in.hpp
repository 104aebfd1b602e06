#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <cuda_runtime_api.h>

/// What the stand-ins for the libraries need of the one for the runtime.
namespace emulated {

/// Enqueues `work` on the stream's thread.
void enqueue(cudaStream_t stream, std::function<void()> work);

enum class Access { read, write };

/// Lets the sanitizers see what a library call does to device memory.
void touch(const void* memory, std::size_t bytes, Access access);

/// Ends the program: "cuda_on_cpu: TEXT" on stderr, then abort().
[[noreturn]] void fail(const std::string& text);

}  // namespace emulated
