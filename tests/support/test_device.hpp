#pragma once

#include <memory>

#include "distributed/communicator.hpp"
#include "kernels/device.hpp"

namespace recombine::test {

/// What this run tests: RECOMBINE_TEST_DEVICE = cpu (the default) or cuda.
DeviceKind device_kind();
/// RECOMBINE_TEST_COLLECTIVES = nccl, or anything else for MPI.
Collectives collectives();

/// A device of that kind whose memory the host can reach too, so that a test may look at it after a synchronize():
/// a GPU's is pinned memory of the host.
std::unique_ptr<Device> make_test_device(Progress progress = Progress::synchronous);

/// Values of the host in memory of the device, which the stream brings there.
Buffer on_device(Device& device, Stream& stream, ConstVectorView host);

}  // namespace recombine::test
