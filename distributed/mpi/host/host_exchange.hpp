#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <mpi.h>

#include "distributed/communicator.hpp"
#include "distributed/exchange_pieces.hpp"
#include "distributed/mpi/host/calls.hpp"
#include "distributed/mpi/host/channel.hpp"
#include "distributed/mpi/host/direct.hpp"
#include "distributed/mpi/shared_window.hpp"
#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::mpi {

/// Collectives among the ranks of one host through memory that they share: no rank calls MPI to move data. Data in
/// memory from allocate() is processed in place (direct.hpp). All other data passes through slots in an MPI-3 shared
/// window (channel.hpp). Each operation is a task; tasks of one exchange run one after the other, in the same order on
/// every rank. communicator.hpp says what they do; `pieces` has one entry per rank. The ranks compare the signature of
/// each operation (calls.hpp). If an operation has several parts, its signature is compared once for the whole, and the
/// parts have none.
class HostExchange {
 public:
  /// Blocks; every rank of `comm` calls it. @pre all ranks of `comm` are on one host
  explicit HostExchange(MPI_Comm comm);
  HostExchange(const HostExchange&) = delete;
  HostExchange& operator=(const HostExchange&) = delete;

  /// These three work in place if the data is in memory from allocate(). For other data, one reduce_scatter and one
  /// all_gather may run at the same time.
  std::unique_ptr<cpu::Task> all_reduce(VectorView data, Reduction reduction, const Signature& signature);
  std::unique_ptr<cpu::Task> reduce_scatter(std::vector<VectorView> pieces, Reduction reduction,
                                            const Signature* signature);
  std::unique_ptr<cpu::Task> all_gather(std::vector<VectorView> pieces, const Signature* signature);
  std::unique_ptr<cpu::Task> broadcast(VectorView data, int root, const Signature& signature);
  std::unique_ptr<cpu::Task> exchange(const ExchangePieces& pieces, const Signature& signature);
  /// Only compares the signature.
  std::unique_ptr<cpu::Task> check_call(const Signature& signature);
  /// Shows the other ranks that this rank makes no more calls. Does not wait for them.
  void show_end(const Signature& signature);

  /// Memory that every rank can read and write. It is zero. Null if the system does not allow this. Blocks; every rank
  /// calls it.
  std::shared_ptr<const CommonMemory> allocate(std::int64_t bytes);

  std::size_t rank() const { return parts_->rank(); }
  int size() const { return static_cast<int>(parts_->size()); }

 private:
  /// The place of `data` in common memory. None if it is not there, or if slots are faster.
  std::optional<DirectTask::Data> find(VectorView data) const;
  Call call_of(const Signature* signature, const std::optional<DirectTask::Data>& there);

  MPI_Comm comm_;
  SharedWindow window_;
  // Two channels, so the parts and the sums of one all_reduce do not wait for each other.
  std::optional<Channel> parts_;
  std::optional<Channel> sums_;
  std::optional<Barrier> barrier_;
  std::optional<Calls> calls_;
  SlotWriter writer_;
  struct Numbered {
    std::int64_t number;
    std::weak_ptr<const CommonMemory> memory;
  };
  std::vector<Numbered> memories_;
  std::int64_t memories_made_ = 0;
};

/// Consecutive pieces as one view.
VectorView whole_of(std::span<const VectorView> pieces);

/// Cuts `data` into `count` consecutive pieces. Their sizes differ by at most one element.
std::vector<VectorView> even_pieces(VectorView data, std::size_t count);

}  // namespace recombine::mpi
