#pragma once

#include "distributed/rank_context.hpp"
#include "src/data/dataset.hpp"

namespace recombine {

/// A table where the device's arithmetic reads it: the host's own on the CPU, a copy for each rank in a GPU's memory.
class DeviceTable {
 public:
  DeviceTable(RankContext& context, const Table& host);

  const Table& table() const { return table_; }
  std::int64_t rows() const { return table_.rows(); }

 private:
  Buffer features_, labels_, targets_;
  Table table_;
};

}  // namespace recombine
