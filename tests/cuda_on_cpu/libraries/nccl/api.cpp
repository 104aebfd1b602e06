// The calls of libnccl.so.2 that create, split and destroy communicators, as far as the product uses them.
#include <algorithm>
#include <cstring>
#include <utility>

#include "tests/cuda_on_cpu/libraries/nccl/group.hpp"
#include "tests/cuda_on_cpu/libraries/nccl/handle.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated::nccl {

namespace {

constexpr unsigned kConfigMagic = 0xcafebeef;

std::string& last_error() {
  static thread_local std::string text;
  return text;
}

ncclResult_t check_config(const ncclConfig_t* config) {
  if (!config) return ncclSuccess;
  if (config->magic != kConfigMagic) return explain(ncclInvalidArgument, "the configuration was not initialised");
  return ncclSuccess;
}

/// Creates this rank's end of a communicator. Blocks until all ranks have called it.
ncclResult_t join(ncclComm_t* handle, const Address& address, const Place& place) {
  int device = -1;
  if (cudaGetDevice(&device) != cudaSuccess) return explain(ncclUnhandledCudaError, "cudaGetDevice failed");
  try {
    auto communicator = std::make_shared<Communicator>(address, place, device);
    if (!communicator->reachable()) return explain(ncclSystemError, "the unique id's process cannot be reached");
    SharedSegment::release(address);  // all ranks have opened it
    const auto [first, second] = communicator->ranks_on_one_device();
    if (first >= 0)
      return explain(ncclInvalidUsage,
                     "Duplicate GPU detected : rank " + std::to_string(first) + " and rank " + std::to_string(second) +
                         " both on CUDA device " +
                         std::to_string(communicator->segment().devices[static_cast<std::size_t>(first)]));
    *handle = new ncclComm{std::move(communicator)};
    return ncclSuccess;
  } catch (const Aborted&) {
    return explain(ncclRemoteError, "a rank aborted the communicator");
  }
}

/// This rank's place among the ranks with its color, sorted by key, then by rank in the parent.
Place place_in_split(const Communicator& parent) {
  const auto& splits = parent.segment().splits;
  const auto self = static_cast<std::size_t>(parent.rank());
  Place place{0, 0};
  for (std::size_t other = 0; other < static_cast<std::size_t>(parent.ranks()); ++other) {
    if (splits[other].color != splits[self].color) continue;
    ++place.ranks;
    if (std::pair(splits[other].key, other) < std::pair(splits[self].key, self)) ++place.rank;
  }
  return place;
}

/// The address that the color's first rank has published.
Address address_in_split(const Communicator& parent) {
  const auto& splits = parent.segment().splits;
  const auto self = static_cast<std::size_t>(parent.rank());
  for (std::size_t other = 0; other < static_cast<std::size_t>(parent.ranks()); ++other)
    if (splits[other].color == splits[self].color && splits[other].child.process != 0) return splits[other].child;
  return {0, -1};
}

ncclResult_t split(Communicator& parent, int color, int key, ncclComm_t* child) {
  auto& own = parent.segment().splits[static_cast<std::size_t>(parent.rank())];
  own = {color, key, {0, -1}};
  parent.wait_for_all(&Segment::host);
  const bool takes_part = color != NCCL_SPLIT_NOCOLOR;
  const Place place = place_in_split(parent);
  if (takes_part && place.rank == 0) own.child = SharedSegment::create();
  parent.wait_for_all(&Segment::host);
  const Address address = address_in_split(parent);
  parent.wait_for_all(&Segment::host);  // all have read: the next split may write
  return takes_part ? join(child, address, place) : ncclSuccess;
}

void refuse_in_group(const std::string& call) {
  if (Group::of_this_thread().is_open()) fail("NCCL: " + call + " in a group is not emulated");
}

}  // namespace

ncclResult_t explain(ncclResult_t result, const std::string& text) {
  last_error() = text;
  return result;
}

}  // namespace emulated::nccl

using namespace emulated::nccl;

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  if (!version) return ncclInvalidArgument;
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess: return "no error";
    case ncclUnhandledCudaError: return "unhandled cuda error";
    case ncclSystemError: return "unhandled system error";
    case ncclInternalError: return "internal error";
    case ncclInvalidArgument: return "invalid argument";
    case ncclInvalidUsage: return "invalid usage";
    case ncclRemoteError: return "remote process exited or there was a network error";
    case ncclInProgress: return "NCCL operation in progress";
    default: return "unknown result code";
  }
}

const char* ncclGetLastError(ncclComm_t) { return last_error().c_str(); }

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  if (!id) return ncclInvalidArgument;
  const Address address = SharedSegment::create();
  if (address.descriptor < 0) return explain(ncclSystemError, "no shared memory");
  *id = {};
  std::memcpy(id->internal, &address, sizeof address);
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* communicator, int ranks, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  refuse_in_group("ncclCommInitRank");
  if (!communicator) return explain(ncclInvalidArgument, "the communicator is null");
  *communicator = nullptr;
  if (ranks < 1 || rank < 0 || rank >= ranks)
    return explain(ncclInvalidArgument, "rank " + std::to_string(rank) + " of " + std::to_string(ranks));
  if (ranks > kMaxRanks) emulated::fail("NCCL: at most " + std::to_string(kMaxRanks) + " ranks are emulated");
  if (const auto result = check_config(config)) return result;
  Address address{};
  std::memcpy(&address, id.internal, sizeof address);
  const ncclResult_t result = join(communicator, address, {rank, ranks});
  if (result != ncclSuccess || !config || config->blocking != 0) return result;
  (*communicator)->settling = true;  // it has joined already, but the caller must be able to wait
  return ncclInProgress;
}

ncclResult_t ncclCommInitRank(ncclComm_t* communicator, int ranks, ncclUniqueId id, int rank) {
  return ncclCommInitRankConfig(communicator, ranks, id, rank, nullptr);
}

ncclResult_t ncclCommSplit(ncclComm_t parent, int color, int key, ncclComm_t* child, ncclConfig_t* config) {
  refuse_in_group("ncclCommSplit");
  if (!parent || !child) return explain(ncclInvalidArgument, "a communicator is null");
  *child = nullptr;
  if (color < NCCL_SPLIT_NOCOLOR) return explain(ncclInvalidArgument, "color " + std::to_string(color));
  if (const auto result = check_config(config)) return result;
  try {
    return split(*parent->communicator, color, key, child);
  } catch (const Aborted&) {
    return explain(ncclRemoteError, "a rank aborted the communicator");
  }
}

ncclResult_t ncclCommCount(const ncclComm_t communicator, int* count) {
  if (!communicator || !count) return ncclInvalidArgument;
  *count = communicator->communicator->ranks();
  return ncclSuccess;
}

ncclResult_t ncclCommUserRank(const ncclComm_t communicator, int* rank) {
  if (!communicator || !rank) return ncclInvalidArgument;
  *rank = communicator->communicator->rank();
  return ncclSuccess;
}

ncclResult_t ncclCommCuDevice(const ncclComm_t communicator, int* device) {
  if (!communicator || !device) return ncclInvalidArgument;
  *device = communicator->communicator->device();
  return ncclSuccess;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t communicator, ncclResult_t* error) {
  if (!communicator || !error) return ncclInvalidArgument;
  *error = std::exchange(communicator->settling, false) ? ncclInProgress : communicator->communicator->state();
  return ncclSuccess;
}

ncclResult_t ncclCommFinalize(ncclComm_t communicator) {
  if (!communicator) return ncclInvalidArgument;
  communicator->communicator->finish();
  communicator->communicator->wait_for_graphs("ncclCommFinalize");
  return ncclSuccess;
}

ncclResult_t ncclCommDestroy(ncclComm_t communicator) {
  if (!communicator) return ncclSuccess;
  communicator->communicator->finish();
  communicator->communicator->wait_for_graphs("ncclCommDestroy");
  delete communicator;
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t communicator) {
  if (!communicator) return ncclSuccess;
  communicator->communicator->abort();
  communicator->communicator->wait_for_graphs("ncclCommAbort");
  delete communicator;
  return ncclSuccess;
}

}  // extern "C"
