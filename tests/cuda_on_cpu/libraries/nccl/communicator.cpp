#include "tests/cuda_on_cpu/libraries/nccl/communicator.hpp"

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <sched.h>
#include <unistd.h>

#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated::nccl {

namespace {

constexpr int kEagerTurns = 2000;
constexpr int kPauseMicroseconds = 50;
constexpr std::chrono::seconds kGraphPatience{2};

/// Gives the core to other threads, among them the one that this thread waits for.
void yield_core(int turn) {
  if (turn < kEagerTurns) {
    sched_yield();
  } else {
    usleep(kPauseMicroseconds);
  }
}

/// Reads the variable once, when the first communicator is created, like the library.
bool launches_in_host_order() {
  static const bool set = [] {
    const char* const value = std::getenv("NCCL_LAUNCH_ORDER_IMPLICIT");
    return value != nullptr && std::string(value) == "1";
  }();
  return set;
}

}  // namespace

Communicator::Communicator(const Address& address, const Place& place, int device)
    : shared_(address), place_(place), device_(device) {
  launches_in_host_order();
  if (!reachable()) return;
  segment().devices[static_cast<std::size_t>(rank())] = device;
  wait_for_all(&Segment::host);
}

std::array<int, 2> Communicator::ranks_on_one_device() const {
  for (int second = 1; second < ranks(); ++second)
    for (int first = 0; first < second; ++first)
      if (segment().devices[static_cast<std::size_t>(first)] == segment().devices[static_cast<std::size_t>(second)])
        return {first, second};
  return {-1, -1};
}

void Communicator::pause(int turn) const {
  if (aborted_ || segment().aborted != 0) throw Aborted{};
  yield_core(turn);
}

void Communicator::wait_for_all(Barrier Segment::*barrier) {
  auto& [arrived, generation] = segment().*barrier;
  const std::uint32_t now = generation;
  if (arrived.fetch_add(1) + 1 == static_cast<std::uint32_t>(ranks())) {
    arrived = 0;
    generation = now + 1;
    return;
  }
  for (int turn = 0; generation == now; ++turn) pause(turn);
}

void Communicator::wait_if_mismatches_hang() const {
  if (std::getenv("RECOMBINE_EMULATED_MISMATCH") == nullptr) return;
  for (int turn = 0;; ++turn) pause(turn);
}

void Communicator::agree(const Signature& signature) {
  auto& signatures = segment().signatures;
  signatures[static_cast<std::size_t>(rank())] = signature;
  wait_for_all(&Segment::stream);
  for (int other = 0; other < ranks(); ++other) {
    const auto& theirs = signatures[static_cast<std::size_t>(other)];
    if (theirs == signature) continue;
    wait_if_mismatches_hang();
    fail("NCCL: rank " + std::to_string(rank()) + " calls " + signature.text() + ", rank " + std::to_string(other) +
         " " + theirs.text());
  }
}

void Communicator::refuse_without_order(const std::shared_ptr<Communicator>& self, cudaStream_t stream) {
  struct Use {
    std::weak_ptr<Communicator> communicator;
    cudaStream_t stream;
  };
  static thread_local std::vector<Use> uses;  // the last stream of each communicator
  std::erase_if(uses, [&](const Use& use) {
    const auto other = use.communicator.lock();
    if (other && other != self && other->device_ == self->device_ && use.stream != stream &&
        other->done_ != other->enqueued_ && !launches_in_host_order())
      fail(
          "NCCL: two communicators of one GPU have work on two streams at the same time, which may deadlock; expected "
          "NCCL_LAUNCH_ORDER_IMPLICIT=1 before the first communicator");
    return !other || other == self;
  });
  uses.push_back({self, stream});
}

cudaError_t Communicator::enqueue(const std::shared_ptr<Communicator>& self, cudaStream_t stream,
                                  std::function<void()> work) {
  refuse_without_order(self, stream);
  std::shared_ptr<void> in_graph;  // it lives as long as the graph
  if (is_captured(stream)) {
    ++self->graphs_;
    in_graph = std::shared_ptr<void>(nullptr, [self](void*) { --self->graphs_; });
  }
  return enqueue_prepared(stream, [self, in_graph, work = std::move(work)]() -> std::function<void()> {
    return [self, work, ticket = self->enqueued_++] {
      for (int turn = 0; self->done_ != ticket; ++turn) yield_core(turn);
      try {
        work();
      } catch (const Aborted&) {  // state() reports it
      }
      self->done_ = ticket + 1;
    };
  });
}

void Communicator::finish() {
  for (int turn = 0; done_ != enqueued_; ++turn) yield_core(turn);
}

void Communicator::wait_for_graphs(const char* call) const {
  const auto patience = std::chrono::steady_clock::now() + kGraphPatience;
  while (graphs_ != 0) {
    if (std::chrono::steady_clock::now() > patience)
      fail(std::string("NCCL: ") + call + " waits forever: a graph still holds its operations");
    usleep(kPauseMicroseconds);
  }
}

void Communicator::abort() {
  aborted_ = true;
  segment().aborted = 1;
}

ncclResult_t Communicator::state() const { return segment().aborted != 0 ? ncclRemoteError : ncclSuccess; }

}  // namespace emulated::nccl
