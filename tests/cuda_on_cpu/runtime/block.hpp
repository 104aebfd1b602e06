#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/cuda_on_cpu/runtime/device_code.hpp"
#include "tests/cuda_on_cpu/runtime/fiber.hpp"

namespace emulated {

/// A kernel, its parameters and its launch configuration.
struct Launch {
  const Kernel* kernel = nullptr;
  std::vector<char> parameters;
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared = 0;
};

/// The cp.async groups of one thread, oldest first.
struct AsyncCopies {
  std::vector<std::vector<AsyncCopy>> groups;
  std::vector<AsyncCopy> open;
};

/// Runs the blocks of launches one after another. Each CUDA thread of a block runs on a fiber. Each stream's thread has
/// one Grid.
class Grid {
 public:
  ~Grid();
  void run(const Launch& launch);

  // Calls of the CUDA threads that it runs:
  unsigned barrier(Thread& thread, const char* place, Reduction reduction, bool value);
  void exchange(Thread& thread, std::uint32_t mask, const void* mine, std::size_t bytes, void* all);
  void sync_warp(Thread& thread, std::uint32_t mask);
  void fence();
  AsyncCopies& async_copies(Thread& thread);
  [[noreturn]] void fail_in(const Thread& thread, const std::string& text) const;

 private:
  enum class State { fresh, ready, blocked, done };
  struct Task : Thread {
    State state = State::fresh;
    Fiber* fiber = nullptr;
    const void* waits_for = nullptr;  ///< a Barrier or Meeting
    const char* doing = "";
    void* received = nullptr;  ///< where to store the result of an exchange
    AsyncCopies copies;
  };
  /// A fiber, and the task that it runs next.
  struct Worker {
    explicit Worker(Grid& owner) : grid(owner), fiber(work, this) {}
    static void work(void* worker);
    Grid& grid;
    Task* task = nullptr;
    Fiber fiber;
  };
  struct Barrier {
    std::size_t arrived = 0;
    const char* place = nullptr;
    unsigned generation = 0;
    unsigned count = 0;       ///< of arrivals with `value`
    unsigned counts[2] = {};  ///< `count` of the last two generations
  };
  /// A collective of the lanes in one mask of one warp.
  struct Meeting {
    std::uint32_t arrived = 0;
    std::uint32_t mask = 0;
    std::size_t bytes = 0;
    char slots[32 * kExchangeBytes];
  };

  void prepare(const Launch& launch);
  void renew_shared_memory();
  void run_block(uint3 block);
  void schedule();
  void run_task(Task& task);
  Worker& worker_for(const Task& task);
  void wait(Task& task, const void* what, const char* doing);
  void wake(const void* what, std::size_t first, std::size_t last);
  void release_barrier();
  void complete(Meeting& meeting, unsigned warp);
  [[noreturn]] void fail_deadlocked() const;

  const Launch* launch_ = nullptr;
  Fiber main_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::size_t count_ = 0;  ///< number of tasks in a block
  std::size_t next_ = 0;   ///< index of the first fresh task
  std::size_t done_ = 0;
  std::vector<Task*> ready_;
  std::size_t first_ready_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;
  unsigned block_parity_ = 0;
  Barrier barrier_;
  std::vector<Meeting> meetings_;  ///< [warp * 32 + lowest lane of the mask]
  KnownMemory known_memory_;
  char* shared_ = nullptr;
  std::size_t shared_bytes_ = 0;
  // Tokens of happens-before edges. A block uses those of its parity, so consecutive blocks share none.
  char start_token_ = 0;
  char end_token_ = 0;
  char fence_token_ = 0;
  char barrier_tokens_[2][2] = {};
  std::vector<char> warp_tokens_[2];
};

/// The Grid of the calling thread.
Grid& this_grid();

}  // namespace emulated
