#pragma once

#include <memory>
#include <string>

#include "tests/cuda_on_cpu/libraries/nccl/communicator.hpp"

/// What ncclComm_t points to.
struct ncclComm {
  std::shared_ptr<emulated::nccl::Communicator> communicator;
  bool settling = false;  // created with blocking = 0: its first query answers ncclInProgress
};

namespace emulated::nccl {

/// Returns `result`, and stores `text` for ncclGetLastError on this thread.
ncclResult_t explain(ncclResult_t result, const std::string& text);

}  // namespace emulated::nccl
