#pragma once

#include <memory>

#include "distributed/communicator.hpp"
#include "kernels/device.hpp"

namespace recombine::test {

/// The device that this run tests, from RECOMBINE_TEST_DEVICE: cpu (the default) or cuda.
DeviceKind device_kind();
/// From RECOMBINE_TEST_COLLECTIVES: nccl, or any other value for MPI.
Collectives collectives();

/// A device of that kind. The host can reach its memory too (for a GPU it is pinned host memory), so a test may read it
/// after a synchronize().
std::unique_ptr<Device> make_test_device(Progress progress = Progress::synchronous);

/// `device`, except that its make_replay() enqueues the work again in every run. `device` must outlive it.
std::unique_ptr<Device> without_replay(Device& device);

/// Copies host values to new memory of the device, on `stream`.
Buffer on_device(Device& device, Stream& stream, ConstVectorView host);

}  // namespace recombine::test
