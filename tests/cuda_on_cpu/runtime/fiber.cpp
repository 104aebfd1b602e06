#include "tests/cuda_on_cpu/runtime/fiber.hpp"

#include <cstring>

#include <pthread.h>
#include <sys/mman.h>

#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

#define WEAK __attribute__((weak))
extern "C" {
WEAK void* __tsan_create_fiber(unsigned);
WEAK void __tsan_destroy_fiber(void*);
WEAK void __tsan_switch_to_fiber(void*, unsigned);
WEAK void* __tsan_get_current_fiber();
WEAK void __sanitizer_start_switch_fiber(void**, const void*, unsigned long);
WEAK void __sanitizer_finish_switch_fiber(void*, const void**, unsigned long*);
void emulated_switch(void** save, void* to);
}

// Saves the registers that a call must preserve (System V, x86-64), changes the stack, and continues where the other
// fiber was saved.
asm(R"(
.text
.globl emulated_switch
.hidden emulated_switch
.type emulated_switch,@function
emulated_switch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp,(%rdi)
  mov %rsi,%rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.size emulated_switch,.-emulated_switch
)");

namespace emulated {

namespace {

constexpr unsigned long kStackBytes = 128 << 10;
constexpr unsigned kNoSynchronisation = 1;
constexpr int kSavedRegisters = 6;

thread_local Fiber* running = nullptr;

}  // namespace

void enter_fiber(Fiber& fiber) {
  if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
  fiber.main_(fiber.argument_);
  fail("a fiber's main has returned");
}

namespace {

void start() { enter_fiber(*running); }

}  // namespace

Fiber::Fiber() {
  pthread_attr_t attributes;
  void* begin = nullptr;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &begin, &bounds_size_);
  pthread_attr_destroy(&attributes);
  bounds_begin_ = begin;
  if (thread_sanitizer()) sanitizer_fiber_ = __tsan_get_current_fiber();
}

Fiber::Fiber(void (*main)(void*), void* argument) : main_(main), argument_(argument), bounds_size_(kStackBytes) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* memory = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (memory == MAP_FAILED) fail("no memory for a fiber's stack");
  stack_ = static_cast<char*>(memory);
  bounds_begin_ = stack_;
  if (thread_sanitizer()) sanitizer_fiber_ = __tsan_create_fiber(0);
  void** top = reinterpret_cast<void**>(stack_ + kStackBytes) - 2;  // as after a call: 8 bytes off 16
  *top = reinterpret_cast<void*>(&start);
  stack_pointer_ = top - kSavedRegisters;
}

Fiber::~Fiber() {
  if (!stack_) return;
  if (sanitizer_fiber_) __tsan_destroy_fiber(sanitizer_fiber_);
  munmap(stack_, kStackBytes);
}

void Fiber::switch_to(Fiber& to) {
  running = &to;
  void* fake_stack = nullptr;
  if (sanitizer_fiber_) __tsan_switch_to_fiber(to.sanitizer_fiber_, kNoSynchronisation);
  if (__sanitizer_start_switch_fiber) __sanitizer_start_switch_fiber(&fake_stack, to.bounds_begin_, to.bounds_size_);
  emulated_switch(&stack_pointer_, to.stack_pointer_);
  if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
}

}  // namespace emulated
