#include "src/rank_device.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

namespace recombine {

int threads_for(const Session& session, std::optional<int> asked) {
  if (asked) return *asked;
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    return static_cast<int>(std::max(1L, std::strtol(text, nullptr, 10)));
  }
  const CpuShare share = cpu_share(session);
  return std::clamp(static_cast<int>(share.bound.size()), 1, share.fair);
}

std::unique_ptr<Device> make_rank_device(const Session& session, DeviceKind kind, int threads) {
  return make_device(
      {.kind = kind, .threads = threads, .cores = cores_for(session, threads), .progress = session.progress()});
}

void warn_if_bound(const Session& session, std::string_view program) {
  const CpuShare share = cpu_share(session);
  if (session.rank() != 0 || static_cast<int>(share.bound.size()) >= share.fair) return;
  fmt::print(stderr, "{}: a rank is bound to {} of the {} cores that are its share: mpirun --bind-to none frees it\n",
             program, share.bound.size(), share.fair);
}

}  // namespace recombine
