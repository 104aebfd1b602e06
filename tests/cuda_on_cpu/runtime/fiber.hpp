#pragma once

namespace emulated {

/// A stack to run on. Switching is no synchronisation for the thread sanitizer, to which a fiber is a thread.
class Fiber {
 public:
  /// The context of the calling thread.
  Fiber();
  /// Starts `main(argument)` on a stack of its own at the first switch; main may not return.
  Fiber(void (*main)(void*), void* argument);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Goes on with `to`; returns when somebody switches back. `this` is the one that runs.
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
