// The runtime's calls that copy and set memory.
#include "tests/cuda_on_cpu/runtime/capture.hpp"
#include "tests/cuda_on_cpu/runtime/counts.hpp"
#include "tests/cuda_on_cpu/runtime/device.hpp"
#include "tests/cuda_on_cpu/runtime/memory.hpp"
#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"
#include "tests/cuda_on_cpu/runtime/stream.hpp"

using namespace emulated;

namespace {

struct Range {
  cudaMemoryType type = cudaMemoryTypeUnregistered;
  bool inside = true;  ///< false if it passes the end of its allocation
};

Range range_of(const void* memory, std::size_t bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const auto allocation = find_allocation(begin);
  if (!allocation) return {};
  return {allocation->type, bytes <= allocation->end - begin};
}

bool is_device(const Range& range) { return range.type == cudaMemoryTypeDevice; }

/// True if the two sides are as `kind` says.
bool matches(cudaMemcpyKind kind, const Range& to, const Range& from) {
  switch (kind) {
    case cudaMemcpyDefault: return true;
    case cudaMemcpyHostToHost: return !is_device(to) && !is_device(from);
    case cudaMemcpyHostToDevice: return is_device(to) && !is_device(from);
    case cudaMemcpyDeviceToHost: return !is_device(to) && is_device(from);
    case cudaMemcpyDeviceToDevice: return is_device(to) && is_device(from);
  }
  return false;
}

/// Ends the program if memory that CUDA knew when the copy was enqueued, or captured, has been freed since.
void require_not_freed(const Range& range, const void* memory, std::size_t bytes) {
  const Range now = range_of(memory, bytes);
  if (range.type != now.type || !now.inside) fail("a copy or fill of memory that has been freed");
}

}  // namespace

extern "C" {

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  const Range target = range_of(to, bytes);
  const Range source = range_of(from, bytes);
  if (!matches(kind, target, source)) return remember(cudaErrorInvalidMemcpyDirection);
  if (!target.inside || !source.inside) return remember(cudaErrorInvalidValue);
  const bool pageable = target.type == cudaMemoryTypeUnregistered || source.type == cudaMemoryTypeUnregistered;
  if (pageable) {
    // CUDA may capture it, but a replay then reads the host's memory whenever it runs. No step of a program may do so.
    if (const cudaError_t error = refuse_on(own_stream(stream), "a copy from or to pageable memory"))
      return remember(error);
    count(&CudaCounts::pageable_copies);
  }
  if (const cudaError_t error = submit(stream, repeatable(Kind::copy, [=] {
                                         require_not_freed(target, to, bytes);
                                         require_not_freed(source, from, bytes);
                                         copy(to, from, bytes);
                                       })))
    return error;
  if (pageable) stream->last()->wait();  // CUDA waits too: it copies through a buffer of the driver
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  const Range target = range_of(to, bytes);
  if (!is_device(target) || !target.inside) return remember(cudaErrorInvalidValue);
  return submit(stream, repeatable(Kind::fill, [=] {
                  require_not_freed(target, to, bytes);
                  fill(to, value, bytes);
                }));
}
}
