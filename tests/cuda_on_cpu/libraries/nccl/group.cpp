#include "tests/cuda_on_cpu/libraries/nccl/group.hpp"

#include <algorithm>
#include <utility>

#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated::nccl {

namespace {

/// Runs the collectives in their order, then all messages together.
void run(Communicator& communicator, const std::vector<Operation>& operations) {
  for (const auto& operation : operations) {
    require_device_memory(operation);  // again: a replay may run after the memory is freed
    touch_operands(communicator, operation);
  }
  std::vector<Operation> messages;
  for (const auto& operation : operations) {
    if (operation.is_collective()) {
      run_collective(communicator, operation);
    } else {
      messages.push_back(operation);
    }
  }
  run_messages(communicator, messages);
}

}  // namespace

Group& Group::of_this_thread() {
  static thread_local Group group;
  return group;
}

ncclResult_t Group::end() {
  if (depth_ == 0) return ncclInvalidUsage;
  if (--depth_ > 0) return ncclSuccess;
  auto error = std::exchange(error_, ncclSuccess);
  if (error == ncclSuccess) error = launch();
  operations_.clear();
  communicator_.reset();
  return error;
}

ncclResult_t Group::add(const std::shared_ptr<Communicator>& communicator, cudaStream_t stream,
                        const Operation& operation) {
  if (communicator_ && communicator_ != communicator) fail("NCCL: a group over several communicators is not emulated");
  if (communicator_ && stream_ != stream) fail("NCCL: a group over several streams is not emulated");
  communicator_ = communicator;
  stream_ = stream;
  operations_.push_back(operation);
  if (is_open()) return ncclSuccess;
  start();
  return end();
}

ncclResult_t Group::refuse(ncclResult_t error) {
  if (is_open()) error_ = error;
  return error;
}

ncclResult_t Group::launch() {
  if (operations_.empty()) return ncclSuccess;
  check_own_messages();
  for (auto& operation : operations_) operation.signature.captured = is_captured(stream_);
  auto* const communicator = communicator_.get();  // enqueue() keeps it alive
  const auto error = Communicator::enqueue(
      communicator_, stream_, [communicator, operations = operations_] { run(*communicator, operations); });
  return error == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}

void Group::check_own_messages() const {
  const auto count = [this](Call call) {
    return std::ranges::count_if(operations_, [&](const Operation& operation) {
      return operation.signature.call == call && operation.signature.root == communicator_->rank();
    });
  };
  if (count(Call::send) != count(Call::recv))
    fail("NCCL: a send to oneself needs its receive in the same group, or it never ends");
}

}  // namespace emulated::nccl
