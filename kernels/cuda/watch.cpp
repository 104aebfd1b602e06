#include "kernels/cuda/watch.hpp"

#include <utility>

namespace recombine::cuda {

std::shared_ptr<Watch::Check> Watch::add(Check check) {
  auto added = std::make_shared<Check>(std::move(check));
  const std::lock_guard lock(mutex_);
  checks_.push_back(added);
  return added;
}

void Watch::check() {
  const std::lock_guard lock(mutex_);
  std::erase_if(checks_, [](const auto& check) { return check.expired(); });
  for (const auto& weak : checks_) {
    if (const auto check = weak.lock()) (*check)();
  }
}

}  // namespace recombine::cuda
