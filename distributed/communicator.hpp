#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "distributed/observe/what.hpp"
#include "kernels/device.hpp"
#include "kernels/matrix.hpp"
#include "kernels/stream.hpp"

namespace recombine {

enum class Reduction : std::uint8_t { sum, max };

struct Signature;  // distributed/observe/signature.hpp

/// Data that is sent to one rank of the group, or received from it. A rank may also send to itself.
struct Piece {
  int peer = 0;  ///< its rank in the group
  VectorView data;
};

/// A group of ranks: all ranks (the world), or the ranks along one axis of the mesh. Every call enqueues on `stream`
/// and returns. Every rank of the group must make the same calls in the same order, on one stream per communicator.
/// Counts are numbers of elements, 64-bit. The order of a sum is fixed: the same ranks get the same bits in every run.
/// all_reduce gives the same bits on every rank, so replicas that apply its sums stay equal.
///
/// All ranks compare the signature (signature.hpp) of every call, also if the call moves no data. If calls differ, the
/// next wait for the stream throws an Error that names two ranks and their calls. The data are then undefined
/// (unchanged if all ranks are on one host and use the CPU). Work that waits for a call on a host stream starts only
/// after the comparison. A host that waits for a GPU also waits for the comparison. The communicator cannot be used
/// after such an Error: let the exception end the program.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;  ///< in this group
  virtual int size() const = 0;
  /// Returns this communicator and sets the purpose of its next collective. Only communicators with a journal use
  /// it (observe/).
  virtual Communicator& named(const What& /*what*/) { return *this; }

  /// Partial -> Replicated. In place; at the end every rank's data is the elementwise sum (or maximum) over all ranks.
  virtual void all_reduce(Stream& stream, VectorView data, Reduction reduction) = 0;
  /// Partial -> Sharded. In place. `data` is cut into consecutive pieces; piece r has counts[r] elements. At the end,
  /// piece r of rank r is the sum (or maximum) over all ranks; the other pieces are undefined.
  /// @pre the counts add up to data.size
  virtual void reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                              Reduction reduction) = 0;
  /// Sharded -> Replicated. In place: rank r sends piece r to all ranks. @pre the counts add up to data.size
  virtual void all_gather(Stream& stream, VectorView data, std::span<const std::int64_t> counts) = 0;
  virtual void broadcast(Stream& stream, VectorView data, int root) = 0;
  /// Sends the pieces of `out` to their peers and receives the pieces of `in` from theirs, in one operation. `out` is
  /// only read. The pieces that rank a sends to rank b and the pieces that b expects from a must have the same lengths
  /// and types in the same order; empty pieces do not count. A rank may also send to itself.
  /// @pre no piece of `in` overlaps another piece @throws Error if a peer is not a rank of this group
  virtual void exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) = 0;

  /// Memory of `device` in which all_reduce, reduce_scatter and all_gather of this group are fastest: ranks of one host
  /// access each other's data in place. The data of a call must be at the same place of such memory on every rank, or
  /// on no rank in such memory. Blocks; every rank calls it with the same size while no communication stream has work.
  /// `device` counts the memory under `use` (Device::memory_count()).
  virtual Buffer allocate(Device& device, DataType type, std::int64_t size, MemoryUse use) {
    return {device, type, size, use};
  }

  /// The communicator of the ranks with this rank's `color`, ordered by `key`. Blocks; every rank of this group calls
  /// it while no communication stream has work.
  virtual std::unique_ptr<Communicator> split(int color, int key) = 0;

  /// True if the calls on a GPU's stream may be captured into a CUDA graph (cudaStreamBeginCapture). A replay of the
  /// graph moves the data again, but ranks compare the calls only when they are captured.
  virtual bool capturable() const { return size() == 1; }

  /// Compares `call` on all ranks without moving data, which NCCL moves. @pre `stream` has StreamUse::host
  virtual void check_call(Stream& stream, const Signature& call) = 0;
};

/// The library that moves the data of collectives on a device's memory.
enum class Collectives {
  mpi,   ///< MPI; data of a GPU passes through the host's memory
  nccl,  ///< NCCL; every rank needs its own GPU
};

/// The communicator of the ranks of `world` with this rank's `color`, ordered by `key`, for memory of `device`. `world`
/// itself is for the host's memory. Blocks; every rank of `world` calls it. @throws InputError if this build does not
/// have these collectives
std::unique_ptr<Communicator> make_communicator(Communicator& world, Device& device, Collectives collectives, int color,
                                                int key);

}  // namespace recombine
