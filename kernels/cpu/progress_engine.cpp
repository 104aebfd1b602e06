#include "kernels/cpu/progress_engine.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>
#include <sys/prctl.h>

#include "kernels/error.hpp"

namespace recombine::cpu {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::microseconds kNap{50};

}  // namespace

/// The thread and its streams' queues. The mutex guards the queues; a task runs outside it, in one thread at a time.
class ProgressEngine::Worker {
 public:
  struct Queue {
    std::deque<std::unique_ptr<Task>> tasks;  ///< the front one is running
    std::uint64_t submitted = 0;
    std::uint64_t finished = 0;
    std::exception_ptr failure;  ///< not yet told to the host

    struct Lost {
      std::uint64_t from = 0, to = 0;  ///< tasks, counted as submitted
      std::exception_ptr why;
    };
    Lost lost;  ///< by the last failure: what failed, and what stood behind it
  };

  Worker() try : thread_([this] { run(); }) {
  } catch (const std::system_error& error) {
    throw Error(fmt::format("cannot start a thread, for communication behind arithmetic: {}", error.what()));
  }
  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  void add(const std::shared_ptr<Queue>& queue) {
    const std::lock_guard lock(mutex_);
    queues_.push_back(queue);
  }
  void remove(const std::shared_ptr<Queue>& queue) {
    const std::lock_guard lock(mutex_);
    std::erase(queues_, queue);
  }

  void submit(Queue& queue, std::unique_ptr<Task> task) {
    {
      const std::lock_guard lock(mutex_);
      rethrow(queue);
      queue.tasks.push_back(std::move(task));
      ++queue.submitted;
    }
    wake_.notify_one();
  }

  std::uint64_t submitted(const Queue& queue) {
    const std::lock_guard lock(mutex_);
    return queue.submitted;
  }
  /// @throws what that task, or one before which took it along, has failed with
  bool done(const Queue& queue, std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    if (count > queue.lost.from && count <= queue.lost.to) std::rethrow_exception(queue.lost.why);
    return queue.finished >= count;
  }

  /// The calling thread moves all streams on until that many tasks of `queue` are finished.
  void wait(Queue& queue, std::uint64_t count) {
    std::unique_lock lock(mutex_);
    ++waiters_;
    while (queue.finished < count) {
      if (advancing_) {
        free_.wait(lock, [&] { return !advancing_; });
      } else if (!advance_all(lock)) {
        lock.unlock();
        sched_yield();
        lock.lock();
      }
    }
    if (--waiters_ == 0 && has_work()) wake_.notify_one();
    rethrow(queue);
  }

 private:
  static void rethrow(Queue& queue) {
    if (queue.failure) std::rethrow_exception(std::exchange(queue.failure, nullptr));
  }

  void run() {
    prctl(PR_SET_TIMERSLACK, 1UL);  // else every nap is 50 us longer
    std::unique_lock lock(mutex_);
    while (!stop_) {
      if (waiters_ > 0 || !has_work()) {
        wake_.wait(lock, [&] { return stop_ || (waiters_ == 0 && has_work()); });
      } else if (const auto begun = Clock::now(); !advance_all(lock) && Clock::now() - begun < kNap) {
        wake_.wait_for(lock, kNap);  // a longer round has moved something, and goes on
      }
    }
  }

  bool has_work() const {
    return std::ranges::any_of(queues_, [](const auto& queue) { return !queue->tasks.empty(); });
  }

  /// Polls the front task of every stream; true if one is finished. @pre no other thread is in it
  bool advance_all(std::unique_lock<std::mutex>& lock) {
    advancing_ = true;
    bool moved = false;
    const std::vector<std::shared_ptr<Queue>> queues = queues_;
    for (const auto& queue : queues) {
      if (!queue->tasks.empty()) moved = advance(*queue, lock) || moved;
    }
    advancing_ = false;
    if (waiters_ > 0) free_.notify_all();
    return moved;
  }

  bool advance(Queue& queue, std::unique_lock<std::mutex>& lock) {
    Task& task = *queue.tasks.front();
    std::exception_ptr failure;
    bool finished = false;
    lock.unlock();
    try {
      finished = task.advance();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure) {
      queue.failure = failure;
      queue.lost = {queue.finished, queue.submitted, failure};
      queue.tasks.clear();  // what stands behind it would run on wrong data
      queue.finished = queue.submitted;
    } else if (finished) {
      queue.tasks.pop_front();
      ++queue.finished;
    }
    return failure || finished;
  }

  std::mutex mutex_;
  std::condition_variable wake_;  ///< to the thread: there is something to do
  std::condition_variable free_;  ///< to hosts that wait: nobody is in advance_all()
  std::vector<std::shared_ptr<Queue>> queues_;
  int waiters_ = 0;         ///< hosts in wait()
  bool advancing_ = false;  ///< a thread is in advance_all()
  bool stop_ = false;
  std::thread thread_;
};

namespace {

/// A task that is done when an event of another stream is.
class EventTask final : public Task {
 public:
  explicit EventTask(Event event) : event_(std::move(event)) {}
  bool advance() override { return event_->done(); }

 private:
  Event event_;
};

template <class Worker>
class ProgressStream final : public CpuStream {
 public:
  explicit ProgressStream(std::shared_ptr<Worker> worker) : worker_(std::move(worker)) { worker_->add(queue_); }
  ~ProgressStream() override {
    try {
      synchronize();
    } catch (...) {  // nobody is left to be told
    }
    worker_->remove(queue_);
  }

  Event record() override { return std::make_shared<QueueEvent>(worker_, queue_, worker_->submitted(*queue_)); }

  void wait(const Event& event) override {
    if (!event->done()) submit(std::make_unique<EventTask>(event));
  }

  void synchronize() override { worker_->wait(*queue_, worker_->submitted(*queue_)); }
  void submit(std::unique_ptr<Task> task) override { worker_->submit(*queue_, std::move(task)); }

 private:
  using Queue = typename Worker::Queue;

  class QueueEvent final : public EventState {
   public:
    QueueEvent(std::shared_ptr<Worker> worker, std::shared_ptr<Queue> queue, std::uint64_t count)
        : worker_(std::move(worker)), queue_(std::move(queue)), count_(count) {}
    void synchronize() override { worker_->wait(*queue_, count_); }
    bool done() override { return worker_->done(*queue_, count_); }

   private:
    std::shared_ptr<Worker> worker_;
    std::shared_ptr<Queue> queue_;
    std::uint64_t count_;
  };

  std::shared_ptr<Worker> worker_;
  std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
};

}  // namespace

ProgressEngine::ProgressEngine() : worker_(std::make_shared<Worker>()) {}
ProgressEngine::~ProgressEngine() = default;

std::unique_ptr<CpuStream> ProgressEngine::make_stream() { return std::make_unique<ProgressStream<Worker>>(worker_); }

}  // namespace recombine::cpu
