#pragma once

#include <cstddef>
#include <functional>

namespace recombine {

/// Cores that this thread may use.
std::size_t usable_cores();

/// Calls `work(0)` to `work(count - 1)` on a thread for each usable core. The calls begin in this order; after an
/// error, no more calls begin. @throws the error with the lowest index
void on_threads(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace recombine
