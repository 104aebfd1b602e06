#pragma once

#include "distributed/rank_context.hpp"
#include "src/nn/dataset.hpp"

namespace recombine {

/// Where a GPU's rank keeps the features of tables.
enum class TablePlace {
  automatic,  ///< in the GPU's memory if they fit, else as `streamed`
  streamed,   ///< where they are: batches are brought from there
};

/// The room for tables in a GPU's memory.
struct TableRoom {
  TablePlace place = TablePlace::automatic;
  double reserved = 0;  ///< bytes that training will allocate later
};

/// A table that the device computes on: the host's table itself on a CPU, this rank's copy of it on a GPU. Features that
/// are on a disk, or do not fit the GPU's memory, are streamed instead (Table::streamed).
class DeviceTable {
 public:
  DeviceTable(RankContext& context, const Table& host, const TableRoom& room = {});

  const Table& table() const { return table_; }
  std::int64_t rows() const { return table_.rows(); }

 private:
  Buffer features_, labels_, targets_;
  Table table_;
};

}  // namespace recombine
