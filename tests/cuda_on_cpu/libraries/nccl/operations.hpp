#pragma once

#include <span>

#include "tests/cuda_on_cpu/libraries/nccl/communicator.hpp"

namespace emulated::nccl {

/// One call of a collective, a send or a receive. For a send or receive `signature.root` is the peer. `signature.count`
/// is the call's argument: for reduce_scatter and all_gather the count per rank.
struct Operation {
  Signature signature;
  const char* from;  // null if this rank sends nothing
  char* to;          // null if it receives nothing

  bool is_collective() const { return signature.call != Call::send && signature.call != Call::recv; }
  std::size_t bytes() const { return signature.count * bytes_of(signature.type); }
};

/// Ends the program unless a device can access the memory that `operation` reads and writes.
void require_device_memory(const Operation& operation);

/// Reports to the sanitizers what `operation` reads and writes on this rank.
void touch_operands(const Communicator& communicator, const Operation& operation);

/// Runs on the stream's thread. @throws Aborted
void run_collective(Communicator& communicator, const Operation& operation);

/// Sends and receives that progress together. A send ends when its message has been received. @throws Aborted
void run_messages(Communicator& communicator, std::span<const Operation> operations);

}  // namespace emulated::nccl
