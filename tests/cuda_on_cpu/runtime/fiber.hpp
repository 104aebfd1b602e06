#pragma once

namespace emulated {

/// A stack to run on. For the thread sanitizer a fiber is a thread, and a switch does not synchronise.
class Fiber {
 public:
  /// The context of the calling thread.
  Fiber();
  /// At the first switch starts `main(argument)` on a new stack. main must not return.
  Fiber(void (*main)(void*), void* argument);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Continues `to`. Returns when a fiber switches back. `this` must be the running fiber.
  void switch_to(Fiber& to);

 private:
  friend void enter_fiber(Fiber& fiber);

  void* stack_pointer_ = nullptr;
  char* stack_ = nullptr;
  void* sanitizer_fiber_ = nullptr;
  void (*main_)(void*) = nullptr;
  void* argument_ = nullptr;
  const void* bounds_begin_ = nullptr;  // of the stack, for the address sanitizer
  unsigned long bounds_size_ = 0;
};

}  // namespace emulated
