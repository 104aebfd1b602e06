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

/// Collectives among the ranks of one host through memory that they share: no rank calls MPI to move data. What lies in
/// memory from allocate() is worked on there (direct.hpp), all else passes through slots in an MPI-3 shared window
/// (channel.hpp). Each operation is a task; tasks of one exchange run one after the other, in the same order on every
/// rank. What they do to the data is said in communicator.hpp; `pieces` are one per rank. Each begins with a comparison
/// of its signature (calls.hpp), except for what has none, as a part of an operation that is checked as a whole.
class HostExchange {
 public:
  /// Blocks; every rank of `comm` calls it. @pre all ranks of `comm` are on one host
  explicit HostExchange(MPI_Comm comm);
  HostExchange(const HostExchange&) = delete;
  HostExchange& operator=(const HostExchange&) = delete;

  /// These three work where the data is, if it lies in memory from allocate(). reduce_scatter and all_gather of other
  /// data do not wait for each other: one of each may run at a time.
  std::unique_ptr<cpu::Task> all_reduce(VectorView data, Reduction reduction, const Signature& signature);
  std::unique_ptr<cpu::Task> reduce_scatter(std::vector<VectorView> pieces, Reduction reduction,
                                            const Signature* signature);
  std::unique_ptr<cpu::Task> all_gather(std::vector<VectorView> pieces, const Signature* signature);
  std::unique_ptr<cpu::Task> broadcast(VectorView data, int root, const Signature& signature);
  std::unique_ptr<cpu::Task> exchange(const ExchangePieces& pieces, const Signature& signature);
  /// Only compares the signature.
  std::unique_ptr<cpu::Task> check_call(const Signature& signature);
  /// Shows the others that this rank makes no more calls; does not wait for them.
  void show_end(const Signature& signature);

  /// Memory that every rank can work on, zeros; none where the system does not let them. Blocks; every rank calls it.
  std::optional<Buffer> allocate(DataType type, std::int64_t size);

  std::size_t rank() const { return parts_->rank(); }
  int size() const { return static_cast<int>(parts_->size()); }

 private:
  /// `data` in common memory; none where it does not lie there, or where slots are quicker.
  std::optional<DirectTask::Data> find(VectorView data) const;
  Call call_of(const Signature* signature, const std::optional<DirectTask::Data>& there);

  MPI_Comm comm_;
  SharedWindow window_;
  // Two, so that the parts and the sums of one all_reduce do not wait for each other.
  std::optional<Channel> parts_;
  std::optional<Channel> sums_;
  std::optional<Meeting> meeting_;
  std::optional<Calls> calls_;
  SlotWriter writer_;
  struct Numbered {
    std::int64_t number;
    std::weak_ptr<const CommonMemory> memory;
  };
  std::vector<Numbered> memories_;
  std::int64_t memories_made_ = 0;
};

/// Consecutive pieces, as one.
VectorView whole_of(std::span<const VectorView> pieces);

/// `data` in as many consecutive pieces, which differ by at most one element.
std::vector<VectorView> even_pieces(VectorView data, std::size_t count);

}  // namespace recombine::mpi
