#include "tests/cuda_on_cpu/runtime/lane_order.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "tests/cuda_on_cpu/runtime/graph.hpp"
#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"

namespace emulated {

namespace {

constexpr std::chrono::milliseconds kPatience{5};
constexpr std::chrono::microseconds kPause{20};

/// [node][earlier]: `node` runs after `earlier`.
std::vector<std::vector<bool>> runs_after(const Graph& graph) {
  std::vector<std::vector<bool>> after(graph.nodes.size(), std::vector<bool>(graph.nodes.size(), false));
  for (std::size_t node = 0; node < graph.nodes.size(); ++node)
    for (const std::size_t direct : graph.nodes[node].after) {
      after[node][direct] = true;
      for (std::size_t earlier = 0; earlier < direct; ++earlier)
        if (after[direct][earlier]) after[node][earlier] = true;
    }
  return after;
}

}  // namespace

LaneOrder::LaneOrder(const Graph& graph) : origin_first_(graph.nodes.size()), forks_first_(graph.nodes.size()) {
  const auto after = runs_after(graph);
  // For each lane, the nodes that its latest waiting node waits for: later nodes need not wait for them again.
  std::vector<std::vector<std::size_t>> waited(graph.devices.size());
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    const std::size_t lane = graph.nodes[node].lane;
    std::vector<std::size_t> last_of_lane(graph.devices.size(), graph.nodes.size());
    for (std::size_t other = 0; other < graph.nodes.size(); ++other) {
      const std::size_t others_lane = graph.nodes[other].lane;
      const bool rivals = (lane == 0) != (others_lane == 0);
      if (rivals && !after[other][node] && !after[node][other]) last_of_lane[others_lane] = other;
    }
    std::erase(last_of_lane, graph.nodes.size());
    if (last_of_lane.empty() || last_of_lane == waited[lane]) continue;
    waited[lane] = last_of_lane;
    (lane == 0 ? forks_first_ : origin_first_)[node] = std::move(last_of_lane);
  }
}

const std::vector<std::size_t>& LaneOrder::rivals(std::size_t node, First first) const {
  return (first == First::origin ? origin_first_ : forks_first_)[node];
}

void Progress::wait_a_little(const std::vector<std::size_t>& nodes) const {
  if (nodes.empty()) return;
  const Hidden hidden;
  const auto end = std::chrono::steady_clock::now() + kPatience;
  const auto done = [this](std::size_t node) { return done_[node].load(); };
  while (!std::ranges::all_of(nodes, done) && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(kPause);
}

}  // namespace emulated
