#pragma once

/// The runtime's reports to the sanitizers. They do nothing in a program built without a sanitizer.
namespace emulated {

bool thread_sanitizer();
bool address_sanitizer();

/// While it exists, the thread sanitizer ignores this thread. So it does not take the runtime's own locks for an order
/// that CUDA promises.
class Hidden {
 public:
  Hidden();
  ~Hidden();
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;
};

/// An order that CUDA promises: work before release() is visible after an acquire() of the same token.
void release(void* token);
void acquire(void* token);

/// Reads and writes of device memory by the runtime itself. The sanitizers see them.
void copy(void* to, const void* from, unsigned long bytes);
void fill(void* to, int value, unsigned long bytes);

}  // namespace emulated
