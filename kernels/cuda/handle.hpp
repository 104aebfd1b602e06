#pragma once

#include <utility>

namespace recombine::cuda {

/// Owns one handle of a C library, a pointer or what acts as one: `destroy(handle)` gives it back. Empty: T{}.
/// What destroy returns is dropped: a GPU that fails there has failed before, and the next checked call says so.
template <class T, auto destroy>
class Handle {
 public:
  Handle() = default;
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, T{})) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() {
    if (handle_ != T{}) static_cast<void>(destroy(handle_));
  }

  T get() const { return handle_; }
  /// Where the call that creates the handle puts it. @pre empty
  T* out() { return &handle_; }
  /// The handle, which the caller owns from here on.
  T release() { return std::exchange(handle_, T{}); }

 private:
  T handle_{};
};

}  // namespace recombine::cuda
