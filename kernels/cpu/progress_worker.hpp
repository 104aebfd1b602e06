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

/// The thread of a progress engine and the queues of its streams. The mutex guards the queues; a task runs outside the
/// mutex, in one thread at a time. A host is a thread that submits tasks or waits for a stream.
///
/// All threads that wait sleep on the same doorbell: the doorbell of the tasks, which other ranks ring, or the engine's
/// own if the tasks have none. While a host submits or waits, the host runs the tasks, and the engine's thread stays
/// asleep. The engine's thread listens to the doorbell only if there is work and no host waits.
class ProgressWorker {
 public:
  struct Queue {
    std::deque<std::unique_ptr<Task>> tasks;  ///< only the first one runs
    std::uint64_t submitted = 0;
    std::uint64_t finished = 0;
    std::exception_ptr failure;   ///< of a task, until it is rethrown on the host
    bool host_will_wait = false;  ///< until the host waits for this queue, it only enqueues more work

    struct Lost {
      std::uint64_t from = 0, to = 0;  ///< tasks from + 1 to `to`, in order of submission
      std::exception_ptr why;
    };
    Lost lost;  ///< because of the last failure: the failed task and the tasks after it
  };

  ProgressWorker();
  ~ProgressWorker();
  ProgressWorker(const ProgressWorker&) = delete;
  ProgressWorker& operator=(const ProgressWorker&) = delete;

  void add(const std::shared_ptr<Queue>& queue);
  void remove(const std::shared_ptr<Queue>& queue);

  /// The doorbell of tasks that wait for another task of this engine. No ring is needed when that task ends: no thread
  /// sleeps before it has checked the first task of every queue again.
  Doorbell* own_bell() { return &own_bell_; }

  void submit(Queue& queue, std::unique_ptr<Task> task);
  /// Until the host waits for `queue`, tasks that it submits there do not wake the engine's thread.
  void expect_host(Queue& queue);
  std::uint64_t submitted(const Queue& queue);
  /// @throws the failure of that task, or of an earlier task whose failure removed it
  bool done(const Queue& queue, std::uint64_t count);
  /// Runs the tasks of all queues in the calling thread until `count` tasks of `queue` are finished.
  /// @throws a failure of `queue`
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
  std::condition_variable free_;  ///< notified when no thread is in a task
  std::vector<std::shared_ptr<Queue>> queues_;
  Doorbell own_bell_;
  Doorbell* bell_ = &own_bell_;
  int waiters_ = 0;         ///< hosts in wait()
  int resting_ = 0;         ///< hosts in wait() that sleep
  bool advancing_ = false;  ///< a thread is in a task
  bool asleep_ = false;     ///< the engine's thread sleeps
  bool listening_ = false;  ///< the engine's thread counts as a listener of bell_
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace recombine::cpu
