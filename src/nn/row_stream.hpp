#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "distributed/rank_context.hpp"
#include "kernels/permutation.hpp"
#include "src/nn/dataset.hpp"
#include "src/nn/worker_thread.hpp"

namespace recombine {

/// Brings rows of tables to the device's memory: from a disk, or for a GPU also from the host's memory. A thread, which
/// does not call MPI or CUDA, reads the batch that is expected next:
///
///     thread    | read batch 1        | read batch 2        |
///     copies    | 0 |       | 1 |                 | 2 |           (only for a GPU)
///     compute       | batch 0         | batch 1             |
///
/// There are two slots. A batch is read into one while the device computes on the other.
class RowStream {
 public:
  static constexpr std::size_t kSlots = 2;
  struct Size {
    std::int64_t rows = 0;       ///< of the largest batch of this rank
    std::int64_t row_bytes = 0;  ///< of the widest table
  };
  RowStream(RankContext& context, const Size& size);

  struct Batch {
    Table table;
    std::optional<Permutation> order;  ///< none: the order of the table
    std::vector<Range> positions;      ///< in that order

    std::int64_t rows() const;
    bool operator==(const Batch& other) const;
  };
  struct Arrived {
    ConstMatrixView features;  ///< [rows, inputs] in the device's memory, for work on the compute stream
    int slot = 0;              ///< the number of its memory: 0 or 1
  };
  /// Returns the rows of `batch`; without a wait if they were expected and are already read. They are valid for work
  /// that is enqueued before the next call. Starts to read `next`, which may have no rows. @throws Error
  Arrived bring(const Batch& batch, const Batch& next);

 private:
  struct Slot {
    Buffer host;    ///< empty on a CPU
    Buffer device;  ///< on a CPU, rows are read into it
    Event copied;   ///< host to device
    Event used;     ///< the work that reads `device`
  };
  /// The memory to which the host reads rows. Waits until no work reads it any more.
  std::byte* free_memory(Slot& slot);
  void copy_to_device(Slot& slot, std::int64_t bytes);

  RankContext& context_;
  std::unique_ptr<Stream> copies_;  ///< null on a CPU
  std::array<Slot, kSlots> slots_;
  std::size_t current_ = 0;  ///< the slot of the latest batch
  Batch expected_;           ///< in the other slot
  WorkerThread reader_;      ///< the last member: it is destroyed before the memory that it fills
};

}  // namespace recombine
