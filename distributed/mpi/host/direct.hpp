#pragma once

#include <memory>
#include <span>
#include <utility>

#include "distributed/communicator.hpp"
#include "distributed/mpi/host/barrier.hpp"
#include "distributed/mpi/host/calls.hpp"
#include "distributed/mpi/host/common_memory.hpp"
#include "distributed/mpi/host/copy.hpp"
#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::mpi {

/// Collectives on data in common memory. After all ranks have shown the call, each rank works on the data of all ranks
/// in place. A barrier ends the collective. all_reduce on three ranks; a, b, c are shares of the data, and a1 is share
/// a of rank 1's data:
///
///     rank 0   show call   a0 a1 a2 = (a0 + a1) + a2   barrier
///     rank 1   show call   b0 b1 b2 = (b0 + b1) + b2   barrier
///     rank 2   show call   c0 c1 c2 = (c0 + c1) + c2   barrier
///
/// In reduce_scatter a rank writes only its own term. In all_gather a rank copies the others' pieces to its own data.
class DirectTask : public cpu::Task {
 public:
  struct Data {
    std::shared_ptr<const CommonMemory> memory;
    Place place;
    VectorView view;
  };

  State advance() final;
  State begin() final;
  cpu::Doorbell* doorbell() const final { return barrier_.doorbell(); }
  bool move();
  bool finished() const { return stage_ == Stage::finished; }

 protected:
  DirectTask(Barrier& barrier, Data data, const Call& call) : barrier_(barrier), data_(std::move(data)), call_(call) {}

  /// Number of chunks of this rank's work. It may differ between ranks.
  virtual std::int64_t chunks() const = 0;
  virtual void work(std::int64_t chunk) = 0;

  std::size_t rank() const { return barrier_.rank(); }
  std::size_t ranks() const { return barrier_.size(); }
  /// The part of rank `rank`'s data at the same place as `own`, a part of this rank's data.
  VectorView at(std::size_t rank, VectorView own) const;

 private:
  Barrier& barrier_;
  Data data_;
  Call call_;
  std::int64_t done_ = 0;
  enum class Stage { starting, comparing, working, in_barrier, finished } stage_ = Stage::starting;
};

std::unique_ptr<cpu::Task> direct_all_reduce(Barrier& barrier, SlotWriter& writer, const DirectTask::Data& data,
                                             Reduction reduction, const Call& call);
/// @param pieces consecutive pieces of the data, one per rank
std::unique_ptr<cpu::Task> direct_reduce_scatter(Barrier& barrier, const DirectTask::Data& data,
                                                 std::span<const VectorView> pieces, Reduction reduction,
                                                 const Call& call);
std::unique_ptr<cpu::Task> direct_all_gather(Barrier& barrier, const DirectTask::Data& data,
                                             std::span<const VectorView> pieces, const Call& call);

}  // namespace recombine::mpi
