#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "distributed/session.hpp"
#include "kernels/device.hpp"

namespace recombine {

/// Threads of this rank: as asked, else OMP_NUM_THREADS, else its share of the host's cores.
int threads_for(const Session& session, std::optional<int> asked);

/// This rank's device, its threads on cores of their own where there are enough.
std::unique_ptr<Device> make_rank_device(const Session& session, DeviceKind kind, int threads);

/// Says on stderr, once, that mpirun has bound a rank to fewer cores than its share, and how to mend it.
void warn_if_bound(const Session& session, std::string_view program);

}  // namespace recombine
