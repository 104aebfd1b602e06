// The collectives, sends and receives of libnccl.so.2.
#include "tests/cuda_on_cpu/libraries/nccl/group.hpp"
#include "tests/cuda_on_cpu/libraries/nccl/handle.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated::nccl {

namespace {

struct Buffers {
  const void* from;
  void* to;
};

/// Whether this rank sends, and whether it receives.
struct Sides {
  bool gives, receives;
};

ncclResult_t submit(ncclComm_t handle, cudaStream_t stream, const Signature& signature, const Buffers& buffers) {
  auto& group = Group::of_this_thread();
  if (!handle) return group.refuse(explain(ncclInvalidArgument, "the communicator is null"));
  const auto& communicator = handle->communicator;
  if (bytes_of(signature.type) == 0) fail("NCCL: data type " + std::to_string(signature.type) + " is not emulated");
  if (signature.reduction != ncclSum && signature.reduction != ncclMax)
    fail("NCCL: reduction " + std::to_string(signature.reduction) + " is not emulated");
  if (signature.root < 0 || signature.root >= communicator->ranks())
    return group.refuse(explain(ncclInvalidArgument, signature.text() + ": no rank " + std::to_string(signature.root)));
  const bool at_root = signature.root == communicator->rank();
  Sides sides{true, true};
  if (signature.call == Call::broadcast) sides.gives = at_root;
  if (signature.call == Call::reduce) sides.receives = at_root;
  if (signature.call == Call::send) sides.receives = false;
  if (signature.call == Call::recv) sides.gives = false;
  if (signature.count > 0 && ((sides.gives && !buffers.from) || (sides.receives && !buffers.to)))
    return group.refuse(explain(ncclInvalidArgument, signature.text() + ": a buffer is null"));
  const Operation operation{.signature = signature,
                            .from = sides.gives ? static_cast<const char*>(buffers.from) : nullptr,
                            .to = sides.receives ? static_cast<char*>(buffers.to) : nullptr};
  require_device_memory(operation);
  return group.add(communicator, stream, operation);
}

}  // namespace

}  // namespace emulated::nccl

using namespace emulated::nccl;

extern "C" {

ncclResult_t ncclGroupStart() {
  Group::of_this_thread().start();
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() { return Group::of_this_thread().end(); }

ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t reduction,
                           ncclComm_t communicator, cudaStream_t stream) {
  return submit(communicator, stream, {Call::all_reduce, type, reduction, 0, count}, {from, to});
}

ncclResult_t ncclReduce(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t reduction,
                        int root, ncclComm_t communicator, cudaStream_t stream) {
  return submit(communicator, stream, {Call::reduce, type, reduction, root, count}, {from, to});
}

ncclResult_t ncclReduceScatter(const void* from, void* to, std::size_t count, ncclDataType_t type,
                               ncclRedOp_t reduction, ncclComm_t communicator, cudaStream_t stream) {
  return submit(communicator, stream, {Call::reduce_scatter, type, reduction, 0, count}, {from, to});
}

ncclResult_t ncclAllGather(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclComm_t communicator,
                           cudaStream_t stream) {
  return submit(communicator, stream, {Call::all_gather, type, ncclSum, 0, count}, {from, to});
}

ncclResult_t ncclBroadcast(const void* from, void* to, std::size_t count, ncclDataType_t type, int root,
                           ncclComm_t communicator, cudaStream_t stream) {
  return submit(communicator, stream, {Call::broadcast, type, ncclSum, root, count}, {from, to});
}

ncclResult_t ncclSend(const void* from, std::size_t count, ncclDataType_t type, int peer, ncclComm_t communicator,
                      cudaStream_t stream) {
  return submit(communicator, stream, {Call::send, type, ncclSum, peer, count}, {from, nullptr});
}

ncclResult_t ncclRecv(void* to, std::size_t count, ncclDataType_t type, int peer, ncclComm_t communicator,
                      cudaStream_t stream) {
  return submit(communicator, stream, {Call::recv, type, ncclSum, peer, count}, {nullptr, to});
}

}  // extern "C"
