#include "distributed/rank_context.hpp"

#include <algorithm>
#include <utility>

#include "distributed/observe/observed_communicator.hpp"
#include "distributed/rank_replay.hpp"
#include "distributed/session.hpp"
#include "kernels/error.hpp"

namespace recombine {

RankContext::RankContext(const Mesh& mesh, Communicator& world, Device& device, Collectives collectives)
    : mesh_(mesh),
      coord_(mesh.coord_of(world.rank())),
      device_(device),
      compute_(device.make_stream(StreamUse::compute)) {
  require(mesh.size() == world.size(), "mesh {} has {} ranks, but the job has {}; expected the same number",
          mesh.to_string(), mesh.size(), world.size());
  for (const Axis axis : kAxes) {
    // The ranks of one line along `axis` have the same other two coordinates.
    const Coord origin = coord_.with(axis, 0);
    AxisLink& link = axes_[static_cast<std::size_t>(axis)];
    link.communicator =
        observe(make_communicator(world, device, collectives, mesh.rank_of(origin), coord_[axis]), *journal_, axis);
    link.stream = device.make_stream(StreamUse::communication);
  }
}

bool RankContext::capturable() const {
  return std::ranges::all_of(axes_, [](const AxisLink& link) { return link.communicator->capturable(); });
}

std::unique_ptr<Replay> RankContext::make_replay(std::function<void()> enqueue) {
  if (!capturable() || products_ != nullptr) return std::make_unique<ReplayByCalls>(std::move(enqueue));
  return std::make_unique<RankReplay>(*this, std::move(enqueue));
}

Stream& RankContext::after_compute(Axis axis, Next next) const {
  Stream& stream = communication(axis);
  if (next == Next::waits) stream.host_will_wait();
  stream.wait(compute_->record());
  return stream;
}

void RankContext::compute_waits(const Event& event) {
  const double start = Session::now();
  compute_->wait(event);
  exposed_seconds_ += Session::now() - start;
}

}  // namespace recombine
