#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/cuda_on_cpu/libraries/nccl/operations.hpp"

namespace emulated::nccl {

/// The calls between ncclGroupStart and ncclGroupEnd on one thread. A call outside is a group with one call.
class Group {
 public:
  static Group& of_this_thread();

  bool is_open() const { return depth_ > 0; }
  void start() { ++depth_; }
  ncclResult_t end();
  ncclResult_t add(const std::shared_ptr<Communicator>& communicator, cudaStream_t stream, const Operation& operation);
  /// Returns `error`. The end of the group will return it too.
  ncclResult_t refuse(ncclResult_t error);

 private:
  ncclResult_t launch();
  void check_own_messages() const;

  int depth_ = 0;
  ncclResult_t error_ = ncclSuccess;
  std::shared_ptr<Communicator> communicator_;
  cudaStream_t stream_ = nullptr;
  std::vector<Operation> operations_;
};

}  // namespace emulated::nccl
