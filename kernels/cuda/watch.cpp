#include "kernels/cuda/watch.hpp"

#include <utility>

namespace recombine::cuda {

std::shared_ptr<Watch::Check> Watch::add(Check check) {
  auto added = std::make_shared<Check>(std::move(check));
  const std::lock_guard lock(mutex_);
  checks_.push_back(added);
  return added;
}

bool Watch::check() {
  const std::lock_guard lock(mutex_);
  std::erase_if(checks_, [](const auto& check) { return check.expired(); });
  bool all = true;
  for (const auto& weak : checks_) {
    if (const auto check = weak.lock()) all = (*check)() && all;
  }
  return all;
}

}  // namespace recombine::cuda
