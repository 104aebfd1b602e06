#pragma once

/// What the runtime tells the sanitizers; does nothing in a program built without one.
namespace emulated {

bool thread_sanitizer();
bool address_sanitizer();

/// The thread sanitizer sees nothing of what happens in its life: the runtime's own locks are no edges of CUDA's.
class Hidden {
 public:
  Hidden();
  ~Hidden();
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;
};

/// An edge that CUDA promises: what came before release() is seen after an acquire() of the same token.
void release(void* token);
void acquire(void* token);

/// Device memory as the runtime itself reads and writes it, seen by the sanitizers.
void copy(void* to, const void* from, unsigned long bytes);
void fill(void* to, int value, unsigned long bytes);

}  // namespace emulated
