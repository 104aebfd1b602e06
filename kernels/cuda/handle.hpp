#pragma once

#include <utility>

namespace recombine::cuda {

/// Owns a handle of a C library (a pointer or a similar value), T{} if empty. The destructor calls destroy(handle) and
/// ignores its result: if the GPU fails there, it has failed before, and the next checked call reports it.
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
  /// The address to which a C function writes the new handle. @pre empty
  T* out() { return &handle_; }
  /// Returns the handle and gives up its ownership.
  T release() { return std::exchange(handle_, T{}); }

 private:
  T handle_{};
};

}  // namespace recombine::cuda
