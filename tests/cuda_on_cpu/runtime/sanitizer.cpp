#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"

#include <cstring>

#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

// Present only if the program is built with the sanitizer. The stand-ins themselves never are.
#define WEAK __attribute__((weak))
extern "C" {
WEAK void __tsan_acquire(void*);
WEAK void __tsan_release(void*);
WEAK void __tsan_read_range(void*, unsigned long);
WEAK void __tsan_write_range(void*, unsigned long);
WEAK void AnnotateIgnoreSyncBegin(const char*, int);
WEAK void AnnotateIgnoreSyncEnd(const char*, int);
WEAK void AnnotateIgnoreReadsBegin(const char*, int);
WEAK void AnnotateIgnoreReadsEnd(const char*, int);
WEAK void AnnotateIgnoreWritesBegin(const char*, int);
WEAK void AnnotateIgnoreWritesEnd(const char*, int);
WEAK void __asan_loadN(void*, unsigned long);
WEAK void __asan_storeN(void*, unsigned long);
}

namespace emulated {

bool thread_sanitizer() { return __tsan_acquire != nullptr; }
bool address_sanitizer() { return __asan_loadN != nullptr; }

Hidden::Hidden() {
  if (!thread_sanitizer()) return;
  AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}

Hidden::~Hidden() {
  if (!thread_sanitizer()) return;
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
}

void release(void* token) {
  if (__tsan_release) __tsan_release(token);
}

void acquire(void* token) {
  if (__tsan_acquire) __tsan_acquire(token);
}

void touch(const void* memory, std::size_t bytes, Access access) {
  if (bytes == 0) return;
  const bool reads = access == Access::read;
  void* start = const_cast<void*>(memory);
  if (thread_sanitizer()) (reads ? __tsan_read_range : __tsan_write_range)(start, bytes);
  if (address_sanitizer()) (reads ? __asan_loadN : __asan_storeN)(start, bytes);
}

void copy(void* to, const void* from, unsigned long bytes) {
  touch(from, bytes, Access::read);
  touch(to, bytes, Access::write);
  const Hidden hidden;
  std::memmove(to, from, bytes);
}

void fill(void* to, int value, unsigned long bytes) {
  touch(to, bytes, Access::write);
  const Hidden hidden;
  std::memset(to, value, bytes);
}

}  // namespace emulated
