#include "kernels/cuda/choose_fastest.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/cuda/gpu.hpp"
#include "kernels/cuda/graph.hpp"

namespace recombine::cuda {

namespace {

using Milliseconds = std::chrono::duration<float, std::milli>;
using Clock = std::chrono::steady_clock;

constexpr Milliseconds kPatience{5};
constexpr float kShortLimit = 30;  // milliseconds: one limit for the first runs, and one for the rounds
constexpr float kLongLimit = 100;
constexpr float kLimitInRuns = 25;
constexpr float kTooLong = 10;       // milliseconds of one run
constexpr float kGraphLength = 0.5;  // milliseconds
constexpr float kMostRuns = 32;      // in a graph
constexpr int kRounds = 5;
constexpr float kHopeless = 1.1F;  // an alternative that takes this much longer than the best is not run again
constexpr float kTie = 1.03F;

class Timer {
 public:
  explicit Timer(cudaStream_t stream) : stream_(stream) {
    for (EventHandle* event : {&begin_, &end_}) check(cudaEventCreate(event->out()), "cudaEventCreate");
  }

  /// Milliseconds of the work that a function enqueues.
  float time(const std::function<void()>& enqueue) {
    check(cudaEventRecord(begin_.get(), stream_), "cudaEventRecord");
    enqueue();
    check(cudaEventRecord(end_.get(), stream_), "cudaEventRecord");
    check(cudaEventSynchronize(end_.get()), "cudaEventSynchronize");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, begin_.get(), end_.get()), "cudaEventElapsedTime");
    return ms;
  }

 private:
  cudaStream_t stream_;
  EventHandle begin_, end_;
};

/// Several runs of one alternative as one graph, so that the host's time for each call is not measured.
class Contender {
 public:
  Contender(cudaStream_t stream, int number, int runs, const std::function<void()>& enqueue)
      : stream_(stream), number_(number), runs_(runs), graph_(capture_graph(stream, [&] {
          for (int run = 0; run < runs; ++run) enqueue();
        })) {}

  void run(Timer& timer) {
    const float ms = timer.time([&] { check(cudaGraphLaunch(graph_.get(), stream_), "cudaGraphLaunch"); });
    shortest_ = std::min(shortest_, ms / static_cast<float>(runs_));
  }

  int number() const { return number_; }
  float shortest() const { return shortest_; }  ///< milliseconds of one run

 private:
  cudaStream_t stream_;
  int number_;
  int runs_;
  GraphExecutable graph_;
  float shortest_ = std::numeric_limits<float>::infinity();
};

/// The time limit for trying alternatives, and for comparing them, if one run takes `run` milliseconds.
Milliseconds limit_of(float run) { return Milliseconds(std::clamp(kLimitInRuns * run, kShortLimit, kLongLimit)); }

/// The usable alternatives, in their order. Only the first one if it takes longer than kTooLong.
std::vector<Contender> try_out(cudaStream_t stream, Timer& timer, const Alternatives& alternatives) {
  const Clock::time_point start = Clock::now();
  std::vector<Contender> contenders;
  float first = 0;
  for (int i = 0; i < alternatives.count; ++i) {
    if (!contenders.empty() && Clock::now() - start > limit_of(first)) break;
    if (!alternatives.try_out(i)) continue;
    const auto enqueue = [&] { alternatives.enqueue(i); };
    const float ms = timer.time(enqueue);
    if (contenders.empty()) first = ms;
    contenders.emplace_back(stream, i, static_cast<int>(std::clamp(kGraphLength / ms, 1.0F, kMostRuns)), enqueue);
    if (first > kTooLong) break;
  }
  return contenders;
}

float best_of(const std::vector<Contender>& contenders) {
  return std::ranges::min_element(contenders, {}, &Contender::shortest)->shortest();
}

}  // namespace

std::optional<int> choose_fastest(cudaStream_t stream, const Alternatives& alternatives) {
  if (alternatives.count == 1) return alternatives.try_out(0) ? std::optional(0) : std::nullopt;
  Timer timer(stream);
  std::vector<Contender> contenders = try_out(stream, timer, alternatives);
  if (contenders.empty()) return std::nullopt;
  if (contenders.size() == 1) return contenders.front().number();
  const Clock::time_point start = Clock::now();
  for (int round = 0; round < kRounds; ++round) {
    for (Contender& contender : contenders) contender.run(timer);
    const float best = best_of(contenders);
    std::erase_if(contenders, [&](const Contender& contender) { return contender.shortest() > best * kHopeless; });
    if (contenders.size() == 1 || Clock::now() - start > limit_of(best)) break;
  }
  const float longest = best_of(contenders) * kTie;
  return std::ranges::find_if(contenders, [&](const Contender& c) { return c.shortest() <= longest; })->number();
}

void wait_until_quiet(cudaStream_t stream) {
  const Clock::time_point start = Clock::now();
  while (!is_ready(cudaStreamQuery(stream), "cudaStreamQuery") && Clock::now() - start < kPatience) continue;
}

}  // namespace recombine::cuda
