#include "distributed/communicator.hpp"
#include "distributed/nccl/nccl_communicator.hpp"
#include "distributed/staged/staged_communicator.hpp"
#include "kernels/error.hpp"

namespace recombine {

std::unique_ptr<Communicator> make_communicator(Communicator& world, Device& device, Collectives collectives, int color,
                                                int key) {
  auto group = world.split(color, key);
  if (device.kind() == DeviceKind::cpu) {
    require_input(collectives == Collectives::mpi, "--collectives nccl: is only for --device cuda; expected auto here");
    return group;
  }
  if (collectives == Collectives::nccl) return nccl::make_nccl_communicator(std::move(group), device);
  return std::make_unique<StagedCommunicator>(std::move(group), device);
}

}  // namespace recombine
