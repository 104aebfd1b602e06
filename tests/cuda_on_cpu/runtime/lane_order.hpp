#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

namespace emulated {

struct Graph;

/// Makes a missing edge of a graph visible. Nodes that no edge orders may run in any order, but on idle cores they
/// usually run in the order of their capture. So at odd launches (the first, the third ...) the lane that began the
/// capture runs first, and at even launches the forked lanes do. A node of any other lane waits, for a limited time,
/// for the nodes of the first lanes to which no edge orders it.
class LaneOrder {
 public:
  explicit LaneOrder(const Graph& graph);

  enum class First { origin, forks };
  /// The nodes that `node` waits for; none if it belongs to the first lanes.
  const std::vector<std::size_t>& rivals(std::size_t node, First first) const;

 private:
  std::vector<std::vector<std::size_t>> origin_first_;  ///< [node]: rivals
  std::vector<std::vector<std::size_t>> forks_first_;
};

/// The nodes of one launch that have ended. The sanitizers do not see it, because CUDA does not promise this order.
class Progress {
 public:
  explicit Progress(std::size_t nodes) : done_(nodes) {}
  void set(std::size_t node) { done_[node] = true; }
  /// Returns when all `nodes` have ended, or after some milliseconds.
  void wait_a_little(const std::vector<std::size_t>& nodes) const;

 private:
  std::vector<std::atomic<bool>> done_;
};

}  // namespace emulated
