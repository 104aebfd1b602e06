#pragma once

#include <cerrno>
#include <cstring>
#include <new>

#include <sys/mman.h>

#include "kernels/error.hpp"

namespace recombine {

/// A new T in memory that this process shares with the child processes that it starts later. It is never destroyed.
/// @throws Error if there is no memory
template <class T>
T& make_shared_with_children() {
  void* const memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  require(memory != MAP_FAILED, "cannot share a page of memory with a child process: {}", std::strerror(errno));
  return *new (memory) T;
}

}  // namespace recombine
