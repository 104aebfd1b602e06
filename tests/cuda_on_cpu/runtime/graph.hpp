#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "tests/cuda_on_cpu/runtime/lane_order.hpp"
#include "tests/cuda_on_cpu/runtime/stream.hpp"

namespace emulated {

/// The kind of a piece of work, for the counts.
enum class Kind { kernel, copy, fill };

using Work = std::function<void()>;

/// Work that can be launched more than once. `prepare` runs on the launching thread, once per launch.
struct Launchable {
  Kind kind;
  std::function<Work()> prepare;

  /// Counts the launch and returns its work.
  Work launch() const;
};

/// A piece of work in a graph.
struct Node {
  Launchable work;
  std::vector<std::size_t> after;  ///< the nodes that must have ended, all of them earlier in the graph
  std::size_t lane;                ///< the captured stream; 0 is the one that began the capture
};

/// Makes work that is the same at each launch.
Launchable repeatable(Kind kind, Work work);

/// Enqueues `work`, or adds it to the graph if the stream captures.
cudaError_t submit(cudaStream_t stream, Launchable work);

/// A captured graph. Its nodes are in the order of their capture.
struct Graph {
  std::vector<Node> nodes;
  std::vector<int> devices;  ///< of each lane
};

/// A graph that can be launched. Its lanes run at the same time, each on its own thread, as the captured streams would.
/// Only the graph's edges order nodes of different lanes.
class Executable : public std::enable_shared_from_this<Executable> {
 public:
  explicit Executable(std::shared_ptr<const Graph> graph);

  /// The launch runs after all work in `stream` and after earlier launches of this graph, and before later work in
  /// `stream`.
  void launch(CUstream_st& stream);

 private:
  /// State of one launch.
  struct Turn {
    LaneOrder::First first;
    std::shared_ptr<Progress> progress;
    CompletionPtr before;  ///< the end of the previous launch
  };

  Turn next_turn();
  CUstream_st& lane(std::size_t index, CUstream_st& stream) { return index == 0 ? stream : *lanes_[index - 1]; }
  CompletionPtr push(std::size_t node, std::vector<CompletionPtr> after, CUstream_st& stream, const Turn& turn);

  const std::shared_ptr<const Graph> graph_;
  const LaneOrder order_;
  std::vector<std::unique_ptr<CUstream_st>> lanes_;  ///< of lanes 1 and up; lane 0 is the stream of the launch
  std::mutex mutex_;
  CompletionPtr last_;  ///< the end of the previous launch
  std::int64_t launches_ = 0;
};

}  // namespace emulated

/// What cudaGraph_t and cudaGraphExec_t point to.
struct CUgraph_st {
  std::shared_ptr<const emulated::Graph> graph;
};
struct CUgraphExec_st {
  std::shared_ptr<emulated::Executable> executable;
};
