#pragma once

#include <memory>
#include <string>

#include "tests/cuda_on_cpu/libraries/nccl/communicator.hpp"

/// What ncclComm_t points to.
struct ncclComm {
  std::shared_ptr<emulated::nccl::Communicator> communicator;
  bool settling = false;  // made with blocking = 0, and ncclInProgress until it has been asked once
};

namespace emulated::nccl {

/// `result`, with `text` for ncclGetLastError on this thread.
ncclResult_t explain(ncclResult_t result, const std::string& text);

}  // namespace emulated::nccl
