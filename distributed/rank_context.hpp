#pragma once

#include <array>
#include <memory>

#include "distributed/communicator.hpp"
#include "distributed/mesh.hpp"
#include "distributed/observe/journal.hpp"
#include "kernels/device.hpp"
#include "kernels/math.hpp"

namespace recombine {

/// What a rank computes and talks with: its place in the mesh, its device, a communicator and a communication
/// stream for each axis.
class RankContext {
 public:
  /// Blocks; every rank of `world`, which is for the host's memory, calls it. @pre mesh.size() == world.size()
  RankContext(const Mesh& mesh, Communicator& world, Device& device, Collectives collectives = Collectives::mpi);

  const Mesh& mesh() const { return mesh_; }
  const Coord& coord() const { return coord_; }
  Device& device() const { return device_; }
  Math& math() const { return device_.math(); }
  Stream& compute() const { return *compute_; }
  Communicator& communicator(Axis axis) const { return *axes_[static_cast<std::size_t>(axis)].communicator; }
  Stream& communication(Axis axis) const { return *axes_[static_cast<std::size_t>(axis)].stream; }

  /// The collectives of communicator(axis).
  Journal& journal() const { return *journal_; }

  /// What the host does once it has enqueued communication: more arithmetic, or it waits for that communication at
  /// once.
  enum class Next { computes, waits };
  /// communication(axis), for what starts after all arithmetic that is enqueued so far.
  Stream& after_compute(Axis axis, Next next = Next::computes) const;
  /// The compute stream waits for `event` of a communication stream.
  void compute_waits(const Event& event);
  /// Seconds that arithmetic has had to wait in compute_waits(), since the beginning: what communication cost beyond
  /// what was hidden. 0 where the wait does not block the host.
  double exposed_seconds() const { return exposed_seconds_; }
  /// Multiplications and additions of the products that this rank has enqueued (LocalProduct counts them).
  double flops() const { return flops_; }
  void count_flops(double flops) { flops_ += flops; }

 private:
  struct AxisLink {
    std::unique_ptr<Communicator> communicator;
    std::unique_ptr<Stream> stream;
  };
  Mesh mesh_;
  Coord coord_;
  Device& device_;
  std::unique_ptr<Journal> journal_ = std::make_unique<Journal>();  // lives longer than the streams
  std::unique_ptr<Stream> compute_;
  std::array<AxisLink, 3> axes_;
  double exposed_seconds_ = 0;
  double flops_ = 0;
};

}  // namespace recombine
