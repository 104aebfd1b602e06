#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace recombine {

/// A host's memory in pieces of equal size, one per rank of a group. Every rank can read and write all pieces.
struct SharedPieces {
  std::shared_ptr<const void> owner;  ///< null: there is no shared memory
  std::vector<std::byte*> of;         ///< per rank; each begins at a page boundary
  std::int64_t bytes = 0;             ///< of a piece
};

/// A communicator whose ranks can share memory of the host, if all are on one host.
class SharesMemory {
 public:
  virtual ~SharesMemory() = default;
  /// Returns zeroed memory; none if the ranks are on several hosts, or if the system does not let them share memory.
  /// Blocks. Every rank must call it with the same size, while no communication stream has work.
  virtual SharedPieces share_memory(std::int64_t bytes) = 0;
};

}  // namespace recombine
