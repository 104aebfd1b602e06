#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include <nccl.h>

namespace emulated::nccl {

constexpr int kMaxRanks = 16;
constexpr std::size_t kChunkBytes = 64 << 10;

enum class Call : std::int32_t { all_reduce, reduce, reduce_scatter, all_gather, broadcast, send, recv };

/// The arguments that must be equal on all ranks of a collective.
struct Signature {
  Call call;
  ncclDataType_t type;
  ncclRedOp_t reduction;
  std::int32_t root;
  std::uint64_t count;
  bool captured = false;  ///< it runs as part of a graph

  bool operator==(const Signature&) const = default;
  std::string text() const;  // for example: ncclReduce(5 x float32, sum, root 1)
};

std::size_t bytes_of(ncclDataType_t type);  // 0 for a type that the stand-in does not know

struct Barrier {
  std::atomic<std::uint32_t> arrived;
  std::atomic<std::uint32_t> generation;
};

/// Carries one message at a time from one rank to another, in chunks.
struct Mailbox {
  std::atomic<std::uint64_t> sent;
  std::atomic<std::uint64_t> taken;
  Signature signature;
  std::array<char, kChunkBytes> chunk;
};

/// How to reach a segment: a file descriptor of the process that created it.
struct Address {
  std::int32_t process;
  std::int32_t descriptor;
};

struct Split {
  std::int32_t color;
  std::int32_t key;
  Address child;  // of the color's first rank
};

/// The memory that the ranks of one communicator share. It starts as zeros. It has no name in the file system, so a run
/// that is killed leaves nothing there.
struct Segment {
  std::atomic<std::int32_t> aborted;
  Barrier host;    // of the threads that create and split communicators
  Barrier stream;  // of the streams' threads
  std::array<std::int32_t, kMaxRanks> devices;
  std::array<Split, kMaxRanks> splits;
  std::array<Signature, kMaxRanks> signatures;
  std::array<std::array<char, kChunkBytes>, kMaxRanks> slots;
  std::array<std::array<Mailbox, kMaxRanks>, kMaxRanks> mail;  // [from][to]
};

/// A segment in this process.
class SharedSegment {
 public:
  /// Creates a segment. Other processes can reach it until its creator calls release(). descriptor < 0: no memory
  static Address create();
  static void release(const Address& address);  // no-op in other processes
  explicit SharedSegment(const Address& address);
  ~SharedSegment();
  SharedSegment(const SharedSegment&) = delete;
  SharedSegment& operator=(const SharedSegment&) = delete;
  Segment* get() const { return segment_; }  // null if it cannot be reached

 private:
  Segment* segment_ = nullptr;
};

}  // namespace emulated::nccl
