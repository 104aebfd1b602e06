#include "tests/cuda_on_cpu/runtime/block.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "tests/cuda_on_cpu/runtime/sanitizer.hpp"
#include "tests/cuda_on_cpu/runtime/stand_in.hpp"

namespace emulated {

namespace {

constexpr std::size_t kSharedAlignment = 1024;
constexpr int kUninitialised = 0xff;
constexpr unsigned kWarp = 32;

std::string place_of(const Thread& thread) {
  const auto text = [](uint3 at) {
    return "(" + std::to_string(at.x) + "," + std::to_string(at.y) + "," + std::to_string(at.z) + ")";
  };
  return "block " + text(thread.block) + " thread " + text(thread.index);
}

}  // namespace

Grid& this_grid() {
  static thread_local Grid grid;
  return grid;
}

Grid::~Grid() { std::free(shared_); }

void Grid::prepare(const Launch& launch) {
  launch_ = &launch;
  count_ = std::size_t{launch.block.x} * launch.block.y * launch.block.z;
  while (tasks_.size() < count_) tasks_.push_back(std::make_unique<Task>());
  const std::size_t lanes = (count_ + kWarp - 1) / kWarp * kWarp;
  if (meetings_.size() < lanes) meetings_.resize(lanes);
  for (auto& tokens : warp_tokens_)
    if (tokens.size() < lanes) tokens.resize(lanes);
  shared_bytes_ = launch.kernel->shared_bytes + launch.dynamic_shared;
  known_memory_ = {};
  for (std::size_t i = 0; i < count_; ++i) {
    const auto linear = static_cast<unsigned>(i);
    Task& task = *tasks_[i];
    task.index = {linear % launch.block.x, linear / launch.block.x % launch.block.y,
                  linear / launch.block.x / launch.block.y};
    task.block_size = launch.block;
    task.grid_size = launch.grid;
    task.lane = linear % kWarp;
    task.warp = linear / kWarp;
    task.known_memory = &known_memory_;
    task.grid = this;
  }
}

/// Allocates anew for each block, so that the thread sanitizer does not know the accesses of the previous block.
void Grid::renew_shared_memory() {
  std::free(shared_);
  shared_ = nullptr;
  if (shared_bytes_ == 0) return;
  void* memory = nullptr;
  if (posix_memalign(&memory, kSharedAlignment, shared_bytes_) != 0) fail("no memory for a block's shared memory");
  shared_ = static_cast<char*>(memory);
  std::memset(shared_, kUninitialised, shared_bytes_);
}

void Grid::run(const Launch& launch) {
  {
    const Hidden hidden;
    prepare(launch);
  }
  release(&start_token_);
  for (unsigned z = 0; z < launch.grid.z; ++z)
    for (unsigned y = 0; y < launch.grid.y; ++y)
      for (unsigned x = 0; x < launch.grid.x; ++x) run_block({x, y, z});
  acquire(&end_token_);
}

void Grid::run_block(uint3 block) {
  {
    const Hidden hidden;
    renew_shared_memory();
  }
  for (std::size_t i = 0; i < count_; ++i) {
    Task& task = *tasks_[i];
    task.block = block;
    task.shared = shared_;
    task.shared_bytes = static_cast<std::uint32_t>(shared_bytes_);
    task.state = State::fresh;
  }
  next_ = done_ = first_ready_ = 0;
  ready_.clear();
  barrier_.arrived = 0;
  block_parity_ ^= 1;
  schedule();
}

/// Runs fresh tasks first, then woken tasks in the order in which they were woken.
void Grid::schedule() {
  while (done_ < count_) {
    if (next_ < count_) {
      Task& task = *tasks_[next_++];
      Worker& worker = worker_for(task);
      worker.task = &task;
      main_.switch_to(worker.fiber);
    } else if (first_ready_ < ready_.size()) {
      main_.switch_to(*ready_[first_ready_++]->fiber);
    } else if (barrier_.arrived > 0 && barrier_.arrived == count_ - done_) {
      release_barrier();  // all other threads have left the kernel
    } else {
      fail_deadlocked();
    }
    if (first_ready_ == ready_.size()) {
      ready_.clear();
      first_ready_ = 0;
    }
  }
}

/// For the thread sanitizer each fiber is one thread of the block. Consecutive blocks use different sets of fibers, so
/// that the sanitizer sees no order between these blocks.
Grid::Worker& Grid::worker_for(const Task& task) {
  const Hidden hidden;
  if (thread_sanitizer()) {
    const std::size_t linear = task.warp * kWarp + task.lane;
    const std::size_t at = 2 * linear + block_parity_;
    while (workers_.size() <= at) workers_.push_back(std::make_unique<Worker>(*this));
    return *workers_[at];
  }
  if (idle_.empty()) {
    workers_.push_back(std::make_unique<Worker>(*this));
    return *workers_.back();
  }
  Worker* worker = idle_.back();
  idle_.pop_back();
  return *worker;
}

void Grid::Worker::work(void* argument) {
  Worker& worker = *static_cast<Worker*>(argument);
  Grid& grid = worker.grid;
  for (;;) {
    worker.task->fiber = &worker.fiber;
    grid.run_task(*worker.task);
    if (!thread_sanitizer() && grid.next_ < grid.count_) {  // cheaper than a switch
      worker.task = grid.tasks_[grid.next_++].get();
      continue;
    }
    if (!thread_sanitizer()) grid.idle_.push_back(&worker);
    worker.fiber.switch_to(grid.main_);
  }
}

void Grid::run_task(Task& task) {
  acquire(&start_token_);
  launch_->kernel->body(task, launch_->parameters.data());
  for (const auto& group : task.copies.groups)
    if (!group.empty()) fail_in(task, "a thread ends without having waited for its cp.async copies");
  if (!task.copies.open.empty()) fail_in(task, "a thread ends with cp.async copies in no group");
  release(&end_token_);
  task.state = State::done;
  ++done_;
}

void Grid::wait(Task& task, const void* what, const char* doing) {
  task.state = State::blocked;
  task.waits_for = what;
  task.doing = doing;
  task.fiber->switch_to(main_);
}

void Grid::wake(const void* what, std::size_t first, std::size_t last) {
  const Hidden hidden;
  for (std::size_t i = first; i < std::min(last, count_); ++i) {
    Task& task = *tasks_[i];
    if (task.state != State::blocked || task.waits_for != what) continue;
    task.state = State::ready;
    ready_.push_back(&task);
  }
}

unsigned Grid::barrier(Thread& thread, const char* place, Reduction reduction, bool value) {
  Task& task = static_cast<Task&>(thread);
  const unsigned parity = barrier_.generation & 1;
  if (barrier_.arrived == 0) {
    barrier_.place = place;
    barrier_.count = 0;
  } else if (std::strcmp(barrier_.place, place) != 0) {
    fail_in(task, "divergent barrier: this thread is at " + std::string(place) + ", others of its block at " +
                      barrier_.place);
  }
  char& token = barrier_tokens_[block_parity_][parity];
  release(&token);
  barrier_.count += value ? 1 : 0;
  const std::size_t size = ++barrier_.arrived;
  if (size == count_ - done_) {
    release_barrier();
  } else {
    wait(task, &barrier_, place);
  }
  acquire(&token);
  const unsigned count = barrier_.counts[parity];
  switch (reduction) {
    case Reduction::none: return 0;
    case Reduction::all: return count == count_;
    case Reduction::any: return count > 0;
    case Reduction::count: return count;
  }
  return 0;
}

void Grid::release_barrier() {
  barrier_.counts[barrier_.generation & 1] = barrier_.count;
  ++barrier_.generation;
  barrier_.arrived = 0;
  wake(&barrier_, 0, count_);
}

void Grid::exchange(Thread& thread, std::uint32_t mask, const void* mine, std::size_t bytes, void* all) {
  Task& task = static_cast<Task&>(thread);
  const std::uint32_t bit = 1U << task.lane;
  if (!(mask & bit)) fail_in(task, "a warp's collective whose mask lacks the calling lane");
  if (bytes > kExchangeBytes) fail_in(task, "a warp's exchange of too many bytes");
  Meeting& meeting = meetings_[task.warp * kWarp + static_cast<unsigned>(__builtin_ctz(mask))];
  if (meeting.arrived == 0) {
    meeting.mask = mask;
    meeting.bytes = bytes;
  } else if (meeting.mask != mask || meeting.bytes != bytes || (meeting.arrived & bit)) {
    fail_in(task, "lanes of a warp meet in different collectives");
  }
  task.received = all;
  {
    const Hidden hidden;
    std::memcpy(meeting.slots + task.lane * bytes, mine, bytes);
  }
  meeting.arrived |= bit;
  if (meeting.arrived == mask) {
    complete(meeting, task.warp);
  } else {
    wait(task, &meeting, "a warp's collective");
  }
}

void Grid::complete(Meeting& meeting, unsigned warp) {
  const Hidden hidden;
  for (unsigned lane = 0; lane < kWarp; ++lane)
    if (meeting.mask >> lane & 1)
      std::memcpy(tasks_[warp * kWarp + lane]->received, meeting.slots, kWarp * meeting.bytes);
  meeting.arrived = 0;
  wake(&meeting, warp * kWarp, (warp + 1) * kWarp);
}

void Grid::sync_warp(Thread& thread, std::uint32_t mask) {
  char& token = warp_tokens_[block_parity_][thread.warp * kWarp + static_cast<unsigned>(__builtin_ctz(mask))];
  char nothing[kWarp];
  release(&token);
  exchange(thread, mask, "", 1, nothing);
  acquire(&token);
}

/// Stronger than a real fence, which orders only accesses that atomics connect. So it may hide a race, but it never
/// reports a false one.
void Grid::fence() {
  release(&fence_token_);
  acquire(&fence_token_);
}

AsyncCopies& Grid::async_copies(Thread& thread) { return static_cast<Task&>(thread).copies; }

void Grid::fail_in(const Thread& thread, const std::string& text) const {
  fail("kernel " + std::string(launch_->kernel->name) + ", " + place_of(thread) + ": " + text);
}

void Grid::fail_deadlocked() const {
  for (std::size_t i = 0; i < count_; ++i)
    if (tasks_[i]->state == State::blocked)
      fail_in(*tasks_[i], "deadlock: every thread that is left waits, this one for " + std::string(tasks_[i]->doing));
  fail("deadlock in a kernel");
}

}  // namespace emulated
