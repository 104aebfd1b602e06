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

Executable::Executable(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)) {
  for (std::size_t lane = 1; lane < graph_->devices.size(); ++lane)
    lanes_.push_back(std::make_unique<CUstream_st>(graph_->devices[lane]));
}

CompletionPtr Executable::push(const Node& node, std::vector<CompletionPtr> after, CUstream_st& stream) {
  Work work = node.work.launch();
  return lane(node.lane, stream).push([after = std::move(after), work = std::move(work)] {
    for (const auto& end : after) end->wait();
    work();
  });
}

void Executable::launch(CUstream_st& stream) {
  count(&CudaCounts::graph_launches);
  CompletionPtr before;
  {
    const Hidden hidden;
    const std::lock_guard lock(mutex_);
    before = last_;
  }
  const CompletionPtr start = stream.push([before] {
    if (before) before->wait();
  });
  std::vector<CompletionPtr> ends;                               // of the nodes
  std::vector<CompletionPtr> lane_ends(graph_->devices.size());  // of the last node of each lane
  for (const Node& node : graph_->nodes) {
    std::vector<CompletionPtr> after;
    for (const std::size_t earlier : node.after)
      if (graph_->nodes[earlier].lane != node.lane) after.push_back(ends[earlier]);
    if (node.lane != 0 && !lane_ends[node.lane]) after.push_back(start);
    lane_ends[node.lane] = ends.emplace_back(push(node, std::move(after), stream));
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
