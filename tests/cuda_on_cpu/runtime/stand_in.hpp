#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <cuda_runtime_api.h>

/// The functions of the runtime's stand-in that the libraries' stand-ins need.
namespace emulated {

/// Enqueues `work` on the stream's thread.
void enqueue(cudaStream_t stream, std::function<void()> work);

enum class Access { read, write };

/// Reports to the sanitizers an access of a library call to device memory.
void touch(const void* memory, std::size_t bytes, Access access);

/// Ends the program: "cuda_on_cpu: TEXT" on stderr, then abort().
[[noreturn]] void fail(const std::string& text);

}  // namespace emulated
