#include <algorithm>
#include <bit>
#include <cstring>

#include "tests/cuda_on_cpu/libraries/device_memory.hpp"
#include "tests/cuda_on_cpu/libraries/nccl/operations.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated::nccl {

namespace {

struct Bfloat16 {
  std::uint16_t bits;
  operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
  static Bfloat16 rounded(float value) {
    const auto all = std::bit_cast<std::uint32_t>(value);
    if (value != value) return {0x7fff};
    return {static_cast<std::uint16_t>((all + 0x7fff + (all >> 16 & 1)) >> 16)};
  }
};

template <class T>
T add(T x, T y) {
  return static_cast<T>(x + y);
}
template <>
Bfloat16 add(Bfloat16 x, Bfloat16 y) {
  return Bfloat16::rounded(float{x} + float{y});
}

/// A run of bytes within every rank's contribution.
struct Chunk {
  std::size_t offset;
  std::size_t bytes;
};

char* slot(Communicator& communicator, int rank) {
  return communicator.segment().slots[static_cast<std::size_t>(rank)].data();
}

/// out = the reduction of all ranks' slots, in the order of the ranks.
template <class T>
void combine(Communicator& communicator, ncclRedOp_t reduction, char* out, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += sizeof(T)) {
    T value{};
    std::memcpy(&value, slot(communicator, 0) + at, sizeof value);
    for (int rank = 1; rank < communicator.ranks(); ++rank) {
      T next{};
      std::memcpy(&next, slot(communicator, rank) + at, sizeof next);
      value = reduction == ncclSum ? add(value, next) : next > value ? next : value;
    }
    std::memcpy(out + at, &value, sizeof value);
  }
}

void combine(Communicator& communicator, const Signature& signature, char* out, std::size_t bytes) {
  switch (signature.type) {
    case ncclUint8: return combine<std::uint8_t>(communicator, signature.reduction, out, bytes);
    case ncclInt32: return combine<std::int32_t>(communicator, signature.reduction, out, bytes);
    case ncclInt64: return combine<std::int64_t>(communicator, signature.reduction, out, bytes);
    case ncclFloat32: return combine<float>(communicator, signature.reduction, out, bytes);
    case ncclFloat64: return combine<double>(communicator, signature.reduction, out, bytes);
    case ncclBfloat16: return combine<Bfloat16>(communicator, signature.reduction, out, bytes);
    default: fail("NCCL: no sum of " + signature.text());
  }
}

/// For each chunk: if this rank sends, it copies its part of `from` to its slot. Then all ranks call `take`.
template <class Take>
void exchange(Communicator& communicator, const char* from, std::size_t bytes, const Take& take) {
  for (std::size_t offset = 0; offset < bytes; offset += kChunkBytes) {
    const Chunk chunk{offset, std::min(kChunkBytes, bytes - offset)};
    if (from) std::memcpy(slot(communicator, communicator.rank()), from + offset, chunk.bytes);
    communicator.wait_for_all(&Segment::stream);
    take(chunk);
    communicator.wait_for_all(&Segment::stream);
  }
}

}  // namespace

void run_collective(Communicator& communicator, const Operation& op) {
  const auto& signature = op.signature;
  const std::size_t bytes = op.bytes();
  const int rank = communicator.rank();
  communicator.agree(signature);
  const auto reduce_here = [&](const Chunk& chunk) {
    combine(communicator, signature, op.to + chunk.offset, chunk.bytes);
  };
  const auto nothing = [](const Chunk&) {};
  switch (signature.call) {
    case Call::all_reduce: exchange(communicator, op.from, bytes, reduce_here); break;
    case Call::reduce:
      if (signature.root == rank) {
        exchange(communicator, op.from, bytes, reduce_here);
      } else {
        exchange(communicator, op.from, bytes, nothing);
      }
      break;
    case Call::reduce_scatter:
      for (int to = 0; to < communicator.ranks(); ++to) {
        const char* const part = op.from + static_cast<std::size_t>(to) * bytes;
        if (to == rank) {
          exchange(communicator, part, bytes, reduce_here);
        } else {
          exchange(communicator, part, bytes, nothing);
        }
      }
      break;
    case Call::all_gather:
      exchange(communicator, op.from, bytes, [&](const Chunk& chunk) {
        for (int from = 0; from < communicator.ranks(); ++from)
          std::memcpy(op.to + static_cast<std::size_t>(from) * bytes + chunk.offset, slot(communicator, from),
                      chunk.bytes);
      });
      break;
    case Call::broadcast:
      exchange(communicator, op.from, bytes, [&](const Chunk& chunk) {
        std::memcpy(op.to + chunk.offset, slot(communicator, signature.root), chunk.bytes);
      });
      break;
    case Call::send:
    case Call::recv: fail("NCCL: " + signature.text() + " is no collective");
  }
  communicator.wait_for_all(&Segment::stream);  // all have read the signatures: the next call may write
}

void require_device_memory(const Operation& operation) {
  if (operation.signature.count == 0) return;
  const std::string call = "NCCL: " + operation.signature.text();
  emulated::require_device_memory(operation.from, call + ": what is sent");
  emulated::require_device_memory(operation.to, call + ": what is received");
}

void touch_operands(const Communicator& communicator, const Operation& op) {
  const auto all = static_cast<std::size_t>(communicator.ranks()) * op.bytes();
  const auto call = op.signature.call;
  if (op.from) touch(op.from, call == Call::reduce_scatter ? all : op.bytes(), Access::read);
  if (op.to) touch(op.to, call == Call::all_gather ? all : op.bytes(), Access::write);
}

}  // namespace emulated::nccl
