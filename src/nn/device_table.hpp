#pragma once

#include "distributed/rank_context.hpp"
#include "src/nn/dataset.hpp"

namespace recombine {

/// A table in memory that the device computes on: the host's table itself on a CPU, this rank's copy of it on a GPU.
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
