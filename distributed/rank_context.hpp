#pragma once

#include <array>
#include <functional>
#include <memory>

#include "distributed/communicator.hpp"
#include "distributed/mesh.hpp"
#include "distributed/observe/journal.hpp"
#include "distributed/observe/product_observer.hpp"
#include "kernels/device.hpp"
#include "kernels/math.hpp"

namespace recombine {

/// The state that a rank needs to compute and communicate: its place in the mesh, its device, and for each axis a
/// communicator and a communication stream.
class RankContext {
 public:
  /// Blocks; every rank of `world` calls it. @pre mesh.size() == world.size(); `world` is for the host's memory
  RankContext(const Mesh& mesh, Communicator& world, Device& device, Collectives collectives = Collectives::mpi);

  const Mesh& mesh() const { return mesh_; }
  const Coord& coord() const { return coord_; }
  Device& device() const { return device_; }
  Math& math() const { return device_.math(); }
  Stream& compute() const { return *compute_; }
  Communicator& communicator(Axis axis) const { return *axes_[static_cast<std::size_t>(axis)].communicator; }
  Stream& communication(Axis axis) const { return *axes_[static_cast<std::size_t>(axis)].stream; }

  /// True if the communicators of all axes are Communicator::capturable().
  bool capturable() const;

  /// The journal of the collectives on all axes.
  Journal& journal() const { return *journal_; }

  /// What the host does after it has enqueued communication: enqueue more arithmetic, or wait for the communication.
  enum class Next { computes, waits };
  /// Returns communication(axis). Work that is enqueued there from now on starts after all arithmetic enqueued so far.
  Stream& after_compute(Axis axis, Next next = Next::computes) const;
  /// Makes the compute stream wait for `event` of a communication stream.
  void compute_waits(const Event& event);
  /// A Replay (Device::make_replay) of work on the compute stream, including its collectives. flops() and the journal's
  /// totals count every run, also those that the device repeats without a call of `enqueue`.
  std::unique_ptr<Replay> make_replay(std::function<void()> enqueue);

  /// Seconds that arithmetic has waited in compute_waits() since the beginning: the part of communication that
  /// arithmetic did not hide. 0 if the wait does not block the host.
  double exposed_seconds() const { return exposed_seconds_; }
  /// Number of multiplications and additions in the products that this rank has enqueued (LocalProduct counts them).
  double flops() const { return flops_; }
  void count_flops(double flops) { flops_ += flops; }

  /// From now on, `observer` sees every product of this rank; null: nobody does. It must outlive the products. Call it
  /// before make_replay(): an observed rank enqueues every run itself.
  void observe_products(ProductObserver* observer) { products_ = observer; }
  ProductObserver* product_observer() const { return products_; }

 private:
  struct AxisLink {
    std::unique_ptr<Communicator> communicator;
    std::unique_ptr<Stream> stream;
  };
  Mesh mesh_;
  Coord coord_;
  Device& device_;
  std::unique_ptr<Journal> journal_ = std::make_unique<Journal>();  // must outlive the streams
  std::unique_ptr<Stream> compute_;
  std::array<AxisLink, 3> axes_;
  double exposed_seconds_ = 0;
  double flops_ = 0;
  ProductObserver* products_ = nullptr;
};

}  // namespace recombine
