#include "tests/cuda_on_cpu/libraries/nccl/segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace emulated::nccl {

namespace {

struct Type {
  const char* name;
  std::size_t bytes;
};

Type type_of(ncclDataType_t type) {
  switch (type) {
    case ncclUint8: return {"uint8", 1};
    case ncclInt32: return {"int32", 4};
    case ncclInt64: return {"int64", 8};
    case ncclFloat32: return {"float32", 4};
    case ncclFloat64: return {"float64", 8};
    case ncclBfloat16: return {"bfloat16", 2};
    default: return {"a type that is not emulated", 0};
  }
}

const char* name_of(Call call) {
  switch (call) {
    case Call::all_reduce: return "ncclAllReduce";
    case Call::reduce: return "ncclReduce";
    case Call::reduce_scatter: return "ncclReduceScatter";
    case Call::all_gather: return "ncclAllGather";
    case Call::broadcast: return "ncclBroadcast";
    case Call::send: return "ncclSend";
    case Call::recv: return "ncclRecv";
  }
  return "?";
}

}  // namespace

std::size_t bytes_of(ncclDataType_t type) { return type_of(type).bytes; }

std::string Signature::text() const {
  std::string out = name_of(call);
  out.append("(").append(std::to_string(count)).append(" x ").append(type_of(type).name);
  if (call == Call::all_reduce || call == Call::reduce || call == Call::reduce_scatter)
    out += reduction == ncclSum ? ", sum" : ", max";
  if (call == Call::reduce || call == Call::broadcast) out.append(", root ").append(std::to_string(root));
  return out.append(captured ? ") in a graph" : ")");
}

Address SharedSegment::create() {
  const int descriptor = memfd_create("emulated_nccl", MFD_CLOEXEC);
  if (descriptor < 0) return {getpid(), -1};
  if (ftruncate(descriptor, sizeof(Segment)) == 0) return {getpid(), descriptor};
  close(descriptor);
  return {getpid(), -1};
}

void SharedSegment::release(const Address& address) {
  if (address.process == getpid()) close(address.descriptor);
}

SharedSegment::SharedSegment(const Address& address) {
  const auto path = "/proc/" + std::to_string(address.process) + "/fd/" + std::to_string(address.descriptor);
  const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return;
  void* const memory = mmap(nullptr, sizeof(Segment), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  close(descriptor);
  if (memory != MAP_FAILED) segment_ = static_cast<Segment*>(memory);
}

SharedSegment::~SharedSegment() {
  if (segment_) munmap(segment_, sizeof(Segment));
}

}  // namespace emulated::nccl
