#pragma once

#include <memory>
#include <span>
#include <utility>

#include "distributed/communicator.hpp"
#include "distributed/mpi/host/calls.hpp"
#include "distributed/mpi/host/common_memory.hpp"
#include "distributed/mpi/host/copy.hpp"
#include "distributed/mpi/host/meeting.hpp"
#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::mpi {

/// Collectives on data that lies in common memory: once all ranks have shown the call, each works on all ranks' data
/// where it is, and in the end they meet. Three ranks, shares a, b, c of the data, digits: whose:
///
///     rank 0   call   a0 a1 a2 = (a0 + a1) + a2   meet
///     rank 1   call   b0 b1 b2 = (b0 + b1) + b2   meet          all_reduce; reduce_scatter writes only its own term,
///     rank 2   call   c0 c1 c2 = (c0 + c1) + c2   meet          all_gather copies the others' pieces to its own data
class DirectTask : public cpu::Task {
 public:
  struct Data {
    std::shared_ptr<const CommonMemory> memory;
    Place place;
    VectorView view;
  };

  State advance() final;
  State begin() final;
  cpu::Doorbell* doorbell() const final { return meeting_.doorbell(); }
  bool move();
  bool finished() const { return stage_ == Stage::finished; }

 protected:
  DirectTask(Meeting& meeting, Data data, const Call& call) : meeting_(meeting), data_(std::move(data)), call_(call) {}

  /// Chunks of the work; they need not be as many on every rank.
  virtual std::int64_t chunks() const = 0;
  virtual void work(std::int64_t chunk) = 0;

  std::size_t rank() const { return meeting_.rank(); }
  std::size_t ranks() const { return meeting_.size(); }
  /// Where `rank` has what this one has at `own`.
  VectorView at(std::size_t rank, VectorView own) const;

 private:
  Meeting& meeting_;
  Data data_;
  Call call_;
  std::int64_t done_ = 0;
  enum class Stage { coming, waiting, working, leaving, finished } stage_ = Stage::coming;
};

std::unique_ptr<cpu::Task> direct_all_reduce(Meeting& meeting, SlotWriter& writer, DirectTask::Data data,
                                             Reduction reduction, const Call& call);
/// `pieces`: consecutive ones of the data, one per rank.
std::unique_ptr<cpu::Task> direct_reduce_scatter(Meeting& meeting, DirectTask::Data data,
                                                 std::span<const VectorView> pieces, Reduction reduction,
                                                 const Call& call);
std::unique_ptr<cpu::Task> direct_all_gather(Meeting& meeting, DirectTask::Data data,
                                             std::span<const VectorView> pieces, const Call& call);

}  // namespace recombine::mpi
