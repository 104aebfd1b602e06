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

/// Data that goes to one other rank, or comes from it.
struct Piece {
  int peer = 0;  ///< its rank in the group
  VectorView data;
};

/// A group of ranks: all of them (the world), or those along one axis of the mesh. Every call enqueues on `stream`
/// and returns; every rank of the group makes the same calls in the same order, on one stream per communicator.
/// Counts are elements, 64-bit. The order in which a sum is taken is fixed: the same ranks give the same bits, in every
/// run and, from all_reduce, on every rank: replicas that apply such sums stay equal.
///
/// All ranks compare the signature (signature.hpp) of every call, also if the call moves no data. If calls differ, the
/// stream's next wait throws an Error that names two ranks and their calls. The data are then undefined (among ranks of
/// one host on the CPU: unchanged). Work that waits for a call on a host stream starts only after the comparison; the
/// same holds for a host that waits for a GPU. The communicator cannot be used after such an Error: let the exception
/// end the program.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;  ///< in this group
  virtual int size() const = 0;
  /// This communicator; its next collective is for `what`. For those that keep a journal (observe/).
  virtual Communicator& named(const What& /*what*/) { return *this; }

  /// Partial -> Replicated. In place; every rank's data ends as the elementwise sum (or maximum) of all.
  virtual void all_reduce(Stream& stream, VectorView data, Reduction reduction) = 0;
  /// Partial -> Sharded. In place: of the consecutive pieces of `data`, counts[r] elements each, rank r's own ends
  /// as the sum of all; the other pieces are undefined afterwards. @pre the counts add up to data.size
  virtual void reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                              Reduction reduction) = 0;
  /// Sharded -> Replicated. In place: piece r is sent by rank r. @pre as for reduce_scatter
  virtual void all_gather(Stream& stream, VectorView data, std::span<const std::int64_t> counts) = 0;
  virtual void broadcast(Stream& stream, VectorView data, int root) = 0;
  /// Sends the pieces of `out` to their peers and receives those of `in` from theirs, all in one operation; `out` is only
  /// read. What rank a sends to rank b and what b expects from a are pieces of the same lengths and types in the same
  /// order, any number of them; pieces without elements do not count. A rank may also send to itself. No piece of `in`
  /// overlaps another piece. @throws Error if a peer is not a rank of this group
  virtual void exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) = 0;

  /// Memory of `device` for data of this group's all_reduce, reduce_scatter and all_gather: what lies in it on every
  /// rank, at the same place, takes the shortest way (ranks of one host work on each other's where it is). The data of
  /// one call lies in such memory on every rank or on none. Blocks; every rank calls it, with the same size, while no
  /// communication stream has work.
  virtual Buffer allocate(Device& device, DataType type, std::int64_t size) { return {device, type, size}; }

  /// The communicator of the ranks with this rank's `color`, ordered by `key`. Blocks; every rank of this group calls
  /// it while no communication stream has work.
  virtual std::unique_ptr<Communicator> split(int color, int key) = 0;

  /// Compares `call` on all ranks without moving data: NCCL moves them. `stream` has StreamUse::host.
  virtual void check_call(Stream& stream, const Signature& call) = 0;
};

/// What collectives on a device's memory go through.
enum class Collectives {
  mpi,   ///< MPI; the memory of a GPU stops over in the host's
  nccl,  ///< NCCL, for a GPU each rank
};

/// The groups of equal `color` among the ranks of `world`, ordered by `key`, for memory of `device`. `world` itself is
/// for the host's memory. Blocks; every rank of it calls this. @throws InputError where this build has no such
/// collectives
std::unique_ptr<Communicator> make_communicator(Communicator& world, Device& device, Collectives collectives, int color,
                                                int key);

}  // namespace recombine
