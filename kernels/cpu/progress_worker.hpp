#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/cpu/cpu_stream.hpp"
#include "kernels/cpu/doorbell.hpp"
#include "kernels/cpu/patience.hpp"

namespace recombine::cpu {

/// The thread of a progress engine and its streams' queues. The mutex guards the queues; a task runs outside it, in one
/// thread at a time.
///
/// All who wait sleep on one doorbell: that of the tasks, which other ranks ring, else one of the engine's own. While a
/// host submits or waits, it does what can be done, and the engine's thread sleeps on; other ranks' rings wake that
/// thread only while it listens: there is work, and no host waits.
class ProgressWorker {
 public:
  struct Queue {
    std::deque<std::unique_ptr<Task>> tasks;  ///< the front one is running
    std::uint64_t submitted = 0;
    std::uint64_t finished = 0;
    std::exception_ptr failure;  ///< not yet told to the host
    bool host_comes = false;     ///< it will wait for this queue, and does nothing else before

    struct Lost {
      std::uint64_t from = 0, to = 0;  ///< tasks, counted as submitted
      std::exception_ptr why;
    };
    Lost lost;  ///< by the last failure: what failed, and what stood behind it
  };

  ProgressWorker();
  ~ProgressWorker();
  ProgressWorker(const ProgressWorker&) = delete;
  ProgressWorker& operator=(const ProgressWorker&) = delete;

  void add(const std::shared_ptr<Queue>& queue);
  void remove(const std::shared_ptr<Queue>& queue);

  /// The doorbell of tasks that wait for other tasks of this engine: nobody rings it, as nobody sleeps before these are
  /// looked at again.
  Doorbell* own_bell() { return &own_bell_; }

  void submit(Queue& queue, std::unique_ptr<Task> task);
  /// Until the host waits for `queue`, what it submits there does not wake the engine's thread.
  void expect_host(Queue& queue);
  std::uint64_t submitted(const Queue& queue);
  /// @throws what that task, or one before which took it along, has failed with
  bool done(const Queue& queue, std::uint64_t count);
  /// The calling thread moves all streams on until that many tasks of `queue` are finished.
  void wait(Queue& queue, std::uint64_t count);

 private:
  using Lock = std::unique_lock<std::mutex>;
  static constexpr auto kWorker = Doorbell::Listener::worker;
  static constexpr auto kHost = Doorbell::Listener::host;

  void run();
  void sleep_until_called(Lock& lock);
  void start_listening();
  void stop_listening();

  void leave_to_worker(Lock& lock);
  Task::State begin_all(Lock& lock);
  Task::State begin(Queue& queue, Lock& lock);

  void move_on_until(const Queue& queue, std::uint64_t count, Lock& lock);
  void rest(Patience& patience, Lock& lock);

  bool has_work() const;
  bool must_poll() const;
  void take_bell_of(const Task& task);
  bool advance_all(Lock& lock);
  void stop_advancing();
  template <class Work>
  Task::State in_task(Queue& queue, Lock& lock, const Work& work);

  std::mutex mutex_;
  std::condition_variable free_;  ///< nobody is in a task
  std::vector<std::shared_ptr<Queue>> queues_;
  Doorbell own_bell_;
  Doorbell* bell_ = &own_bell_;
  int waiters_ = 0;         ///< hosts in wait()
  int resting_ = 0;         ///< of these, asleep
  bool advancing_ = false;  ///< a thread is in a task
  bool asleep_ = false;     ///< the engine's thread
  bool listening_ = false;  ///< on its behalf
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace recombine::cpu
