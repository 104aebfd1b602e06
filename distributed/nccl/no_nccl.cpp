#include "distributed/nccl/nccl_communicator.hpp"
#include "kernels/error.hpp"

namespace recombine::nccl {

bool available() { return false; }

std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator> /*group*/, Device& /*device*/) {
  throw InputError("--collectives nccl: this build has no NCCL; expected --collectives staged");
}

}  // namespace recombine::nccl
