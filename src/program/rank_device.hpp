#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "distributed/session.hpp"
#include "kernels/device.hpp"

namespace recombine {

/// Upper limit of --threads and OMP_NUM_THREADS.
inline constexpr int kMostThreads = 4096;

/// Threads of this rank: as asked, else OMP_NUM_THREADS, else its share of the host's cores.
/// @throws InputError if OMP_NUM_THREADS is not a number of threads
int threads_for(const Session& session, std::optional<int> asked);

/// The device's options.
struct DeviceCommand {
  enum class Kind { automatic, cpu, cuda };
  enum class Route { automatic, nccl, staged };

  Kind kind = Kind::automatic;
  Route collectives = Route::automatic;
  std::optional<int> threads;  ///< none: OMP_NUM_THREADS, or the rank's share of the cores
  Bind bind = Bind::automatic;
  ProductKernel kernel = ProductKernel::library;
  F32Products f32_products = F32Products::f32;
  std::function<void(const std::string&)> note = {};  ///< as in DeviceOptions
};

/// This rank's device, the number of its threads, and how it communicates.
struct RankDevice {
  int threads = 1;
  Collectives collectives = Collectives::mpi;
  std::unique_ptr<Device> device;

  /// For the report: "mpi", "staged" or "nccl".
  std::string collectives_name() const;
};
/// Makes the device that `command` asks for (automatic: a GPU if every rank has one), with its threads pinned as --bind
/// says. Blocks; every rank calls it. @throws InputError
RankDevice make_rank_device(Session& session, const DeviceCommand& command);

/// Prints one line on stderr if mpirun has bound rank 0 to fewer cores than its share of the host.
void warn_if_bound(const Session& session, std::string_view program);

}  // namespace recombine
