#include "tests/cuda_on_cpu/runtime/graph.hpp"

#include <utility>

#include "tests/cuda_on_cpu/runtime/counts.hpp"
#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"

namespace emulated {

Work Launchable::launch() const {
  switch (kind) {
    case Kind::kernel: count(&CudaCounts::kernel_launches); break;
    case Kind::copy: count(&CudaCounts::copies); break;
    case Kind::fill: count(&CudaCounts::fills); break;
  }
  return prepare();
}

Executable::Executable(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)), order_(*graph_) {
  for (std::size_t lane = 1; lane < graph_->devices.size(); ++lane)
    lanes_.push_back(std::make_unique<CUstream_st>(graph_->devices[lane]));
}

Executable::Turn Executable::next_turn() {
  const Hidden hidden;
  const std::lock_guard lock(mutex_);
  const auto first = launches_++ % 2 == 0 ? LaneOrder::First::origin : LaneOrder::First::forks;
  return {first, std::make_shared<Progress>(graph_->nodes.size()), last_};
}

CompletionPtr Executable::push(std::size_t node, std::vector<CompletionPtr> after, CUstream_st& stream,
                               const Turn& turn) {
  const Node& of_graph = graph_->nodes[node];
  return lane(of_graph.lane, stream)
      .push([node, after = std::move(after), work = of_graph.work.launch(), progress = turn.progress,
             rivals = order_.rivals(node, turn.first)] {
        for (const auto& end : after) end->wait();
        progress->wait_a_little(rivals);
        work();
        progress->set(node);
      });
}

void Executable::launch(CUstream_st& stream) {
  count(&CudaCounts::graph_launches);
  const Turn turn = next_turn();
  const CompletionPtr start = stream.push([before = turn.before] {
    if (before) before->wait();
  });
  std::vector<CompletionPtr> ends;                               // of the nodes
  std::vector<CompletionPtr> lane_ends(graph_->devices.size());  // of the last node of each lane
  for (std::size_t node = 0; node < graph_->nodes.size(); ++node) {
    const auto& [work, earlier, lane] = graph_->nodes[node];
    std::vector<CompletionPtr> after;
    for (const std::size_t one : earlier)
      if (graph_->nodes[one].lane != lane) after.push_back(ends[one]);
    if (lane != 0 && !lane_ends[lane]) after.push_back(start);
    lane_ends[lane] = ends.emplace_back(push(node, std::move(after), stream, turn));
  }
  // The stream's last piece of work keeps this object alive until all lanes are idle.
  CompletionPtr end = stream.push([self = shared_from_this(), lane_ends = std::move(lane_ends)] {
    for (std::size_t lane = 1; lane < lane_ends.size(); ++lane)
      if (lane_ends[lane]) lane_ends[lane]->wait();
  });
  const Hidden hidden;
  const std::lock_guard lock(mutex_);
  last_ = std::move(end);
}

}  // namespace emulated
