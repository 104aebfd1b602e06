// Functions that translated kernels call. They pass the calls on to the Grid that runs the kernel.
#include "tests/cuda_on_cpu/runtime/device_code.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>
#include <utility>

#include "tests/cuda_on_cpu/runtime/block.hpp"
#include "tests/cuda_on_cpu/runtime/device.hpp"
#include "tests/cuda_on_cpu/runtime/memory.hpp"
#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated {

namespace {

std::string hexadecimal(std::uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

RegisterVariable::RegisterVariable(const void* variable, std::size_t bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(variable);
  add_allocation({begin, begin + bytes, cudaMemoryTypeDevice, kEveryDevice});
}

void find_memory(Thread& thread, std::uint64_t address, std::uint64_t bytes) {
  auto& ranges = thread.known_memory->ranges;
  for (KnownMemory::Range& range : ranges)
    if (address >= range.begin && address + bytes <= range.end) return std::swap(range, ranges[0]);
  const auto allocation = find_allocation(address);
  const bool inside = allocation && address + bytes <= allocation->end;
  if (!inside && address_sanitizer())  // its report says more
    touch(reinterpret_cast<const void*>(address), bytes, Access::read);
  const std::string access = "an access of " + std::to_string(bytes) + " bytes at " + hexadecimal(address);
  if (!allocation) thread.grid->fail_in(thread, access + ", which is no memory of the GPU (out of bounds?)");
  if (!inside)
    thread.grid->fail_in(thread, access + " out of bounds: its allocation ends at " + hexadecimal(allocation->end));
  if (allocation->type == cudaMemoryTypeDevice && allocation->device != kEveryDevice &&
      allocation->device != current_device())
    thread.grid->fail_in(thread, access + ", which is memory of another device");
  std::move_backward(std::begin(ranges), std::end(ranges) - 1, std::end(ranges));
  ranges[0] = {allocation->begin, allocation->end};
}

void fail_in(const Thread& thread, const char* text) { thread.grid->fail_in(thread, text); }

unsigned sync_threads(Thread& thread, const char* place, Reduction reduction, bool value) {
  return thread.grid->barrier(thread, place, reduction, value);
}

void sync_warp(Thread& thread, std::uint32_t mask) { thread.grid->sync_warp(thread, mask); }

void exchange(Thread& thread, std::uint32_t mask, const void* mine, std::size_t bytes, void* all) {
  thread.grid->exchange(thread, mask, mine, bytes, all);
}

void fence(Thread& thread) { thread.grid->fence(); }

void start_copy(Thread& thread, const AsyncCopy& copy) {
  const Hidden hidden;
  thread.grid->async_copies(thread).open.push_back(copy);
}

void commit_copies(Thread& thread) {
  const Hidden hidden;
  AsyncCopies& copies = thread.grid->async_copies(thread);
  copies.groups.push_back(std::move(copies.open));
  copies.open.clear();
}

void wait_for_copies(Thread& thread, std::size_t groups_left) {
  AsyncCopies& copies = thread.grid->async_copies(thread);
  const std::size_t finished = copies.groups.size() - std::min(groups_left, copies.groups.size());
  for (std::size_t group = 0; group < finished; ++group)
    for (const AsyncCopy& one : copies.groups[group]) {
      copy(one.to, one.from, one.source_bytes);
      fill(static_cast<char*>(one.to) + one.source_bytes, 0, one.bytes - one.source_bytes);
    }
  const Hidden hidden;
  copies.groups.erase(copies.groups.begin(), copies.groups.begin() + static_cast<std::ptrdiff_t>(finished));
}

}  // namespace emulated
