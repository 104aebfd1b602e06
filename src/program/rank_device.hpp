#pragma once

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

/// What the command line says of the device.
struct DeviceCommand {
  enum class Kind { automatic, cpu, cuda };
  enum class Route { automatic, nccl, staged };

  Kind kind = Kind::automatic;
  Route collectives = Route::automatic;
  std::optional<int> threads;  ///< none: OMP_NUM_THREADS, or the cores' share
  Bind bind = Bind::automatic;
  ProductKernel kernel = ProductKernel::library;
  F32Products f32_products = F32Products::f32;
};

/// This rank's device, its threads on cores of their own where there are enough, and what it communicates by.
struct RankDevice {
  int threads = 1;
  Collectives collectives = Collectives::mpi;
  std::unique_ptr<Device> device;

  /// For the report: "mpi", "staged" or "nccl".
  std::string collectives_name() const;
};
/// A GPU only where every rank has one. Blocks; every rank calls it. @throws InputError
RankDevice make_rank_device(Session& session, const DeviceCommand& command);

/// Says on stderr, once, that mpirun has bound a rank to fewer cores than its share, and how to mend it.
void warn_if_bound(const Session& session, std::string_view program);

}  // namespace recombine
