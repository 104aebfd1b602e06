#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <cuda_runtime_api.h>

/// The functions of the runtime's stand-in that the libraries' stand-ins need.
namespace emulated {

/// Enqueues `work`, which counts as one kernel, on the stream's thread. If the stream captures, the work becomes a node
/// of the graph, and each replay runs it again.
[[nodiscard]] cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);

/// As enqueue(), for work that the host prepares at each launch: `prepare` runs on the thread that enqueues the work or
/// launches the graph, and returns the work.
[[nodiscard]] cudaError_t enqueue_prepared(cudaStream_t stream, std::function<std::function<void()>()> prepare);

/// True if `stream` captures: its work is then recorded for a graph.
bool is_captured(cudaStream_t stream);

enum class Access { read, write };

/// Reports to the sanitizers an access of a library call to device memory.
void touch(const void* memory, std::size_t bytes, Access access);

/// Ends the program: "cuda_on_cpu: TEXT" on stderr, then abort().
[[noreturn]] void fail(const std::string& text);

}  // namespace emulated
