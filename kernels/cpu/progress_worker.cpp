#include "kernels/cpu/progress_worker.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include "kernels/error.hpp"

namespace recombine::cpu {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::microseconds kNap{50};

}  // namespace

ProgressWorker::ProgressWorker() try : thread_([this] { run(); }) {
} catch (const std::system_error& error) {
  throw Error(fmt::format("cannot start the thread that overlaps communication with arithmetic: {}", error.what()));
}

ProgressWorker::~ProgressWorker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    bell_->call(kWorker);
  }
  thread_.join();
}

void ProgressWorker::add(const std::shared_ptr<Queue>& queue) {
  const std::lock_guard lock(mutex_);
  queues_.push_back(queue);
}

void ProgressWorker::remove(const std::shared_ptr<Queue>& queue) {
  const std::lock_guard lock(mutex_);
  std::erase(queues_, queue);
}

namespace {

void rethrow(ProgressWorker::Queue& queue) {
  if (queue.failure) std::rethrow_exception(std::exchange(queue.failure, nullptr));
}

}  // namespace

void ProgressWorker::submit(Queue& queue, std::unique_ptr<Task> task) {
  Lock lock(mutex_);
  rethrow(queue);
  take_bell_of(*task);
  queue.tasks.push_back(std::move(task));
  ++queue.submitted;
  if (waiters_ == 0) {
    const bool others_before = queue.tasks.size() > 1;  // a thread runs them already
    if (!others_before && !queue.host_will_wait) leave_to_worker(lock);
  } else if (resting_ > 0) {
    bell_->call(kHost);
  }
}

void ProgressWorker::expect_host(Queue& queue) {
  const std::lock_guard lock(mutex_);
  queue.host_will_wait = true;
}

std::uint64_t ProgressWorker::submitted(const Queue& queue) {
  const std::lock_guard lock(mutex_);
  return queue.submitted;
}

bool ProgressWorker::done(const Queue& queue, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  if (count > queue.lost.from && count <= queue.lost.to) std::rethrow_exception(queue.lost.why);
  return queue.finished >= count;
}

void ProgressWorker::wait(Queue& queue, std::uint64_t count) {
  Lock lock(mutex_);
  queue.host_will_wait = false;
  if (queue.finished < count) {
    ++waiters_;
    stop_listening();
    move_on_until(queue, count, lock);
    if (--waiters_ == 0) leave_to_worker(lock);
  }
  rethrow(queue);
}

// The engine's thread.

void ProgressWorker::run() {
  sleep_precisely();
  Lock lock(mutex_);
  while (!stop_) {
    const bool works = waiters_ == 0 && has_work();
    if (works && advancing_) {
      free_.wait(lock, [&] { return !advancing_; });
    } else if (const auto begun = Clock::now(); !works || (!advance_all(lock) && Clock::now() - begun < kNap)) {
      sleep_until_called(lock);  // not after a longer round: it has done some work
    }
  }
}

void ProgressWorker::sleep_until_called(Lock& lock) {
  Doorbell& bell = *bell_;
  const std::uint32_t ticket = bell.ticket();
  if (stop_) return;
  std::optional<std::chrono::nanoseconds> limit;
  if (waiters_ == 0 && has_work()) {
    start_listening();
    if (advancing_ || advance_all(lock)) return stop_listening();
    if (must_poll()) limit = kNap;
  }
  asleep_ = true;
  lock.unlock();
  bell.sleep(kWorker, ticket, limit);
  lock.lock();
  asleep_ = false;
  stop_listening();
}

void ProgressWorker::start_listening() {
  if (!std::exchange(listening_, true)) bell_->listen(kWorker);
}

void ProgressWorker::stop_listening() {
  if (std::exchange(listening_, false)) bell_->leave(kWorker);
}

/// Does the quick part of the work, and leaves the rest to the engine's thread. Wakes that thread only if there is work
/// to do before another rank rings, since waking it costs as much as ten small collectives.
void ProgressWorker::leave_to_worker(Lock& lock) {
  if (begin_all(lock) == Task::State::finished || !asleep_) return;  // if awake, it checks again before it sleeps
  start_listening();
  const Task::State state = begin_all(lock);  // again: the thread missed all rings before it listened
  if (state == Task::State::ready || must_poll()) bell_->call(kWorker);
}

/// Begins the first task of each queue, and repeats that while tasks finish. Returns at once if a task is ready.
Task::State ProgressWorker::begin_all(Lock& lock) {
  auto all = Task::State::finished;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    if (queues_[i]->tasks.empty()) continue;
    const std::shared_ptr<Queue> queue = queues_[i];  // the list may change meanwhile
    const std::uint64_t before = queue->finished;
    const Task::State state = begin(*queue, lock);
    if (state == Task::State::ready) return state;
    if (queue->finished > before && queues_.size() > 1) return begin_all(lock);  // other tasks may wait for this one
    if (state == Task::State::waiting) all = state;
  }
  return all;
}

Task::State ProgressWorker::begin(Queue& queue, Lock& lock) {
  while (!queue.tasks.empty()) {
    if (advancing_) return Task::State::ready;
    advancing_ = true;
    const Task::State state = in_task(queue, lock, [](Task& task) { return task.begin(); });
    stop_advancing();
    if (state != Task::State::finished) return state;
  }
  return Task::State::finished;
}

// Hosts that wait.

void ProgressWorker::move_on_until(const Queue& queue, std::uint64_t count, Lock& lock) {
  Patience patience;
  while (queue.finished < count) {
    if (advancing_) {
      free_.wait(lock, [&] { return !advancing_; });
    } else if (advance_all(lock)) {
      patience.start_again();
    } else {
      lock.unlock();
      const bool paused = patience.pause();
      lock.lock();
      if (!paused) rest(patience, lock);
    }
  }
}

/// Sleeps until the doorbell wakes this host; if a task must be polled, at most for a nap.
void ProgressWorker::rest(Patience& patience, Lock& lock) {
  Doorbell& bell = *bell_;
  const std::uint32_t ticket = bell.ticket();
  const Listening listening(bell, kHost);
  if (advancing_ || advance_all(lock)) return patience.start_again();
  const bool polls = must_poll();
  if (polls) sleep_precisely();
  const auto limit = polls ? std::optional(patience.nap_time()) : std::nullopt;
  ++resting_;
  lock.unlock();
  bell.sleep(kHost, ticket, limit);
  lock.lock();
  --resting_;
  if (!polls) patience.start_again();
}

// Tasks.

bool ProgressWorker::has_work() const {
  return std::ranges::any_of(queues_, [](const auto& queue) { return !queue->tasks.empty(); });
}

/// True if a queue's first task must be polled: its doorbell is neither bell_ nor own_bell_.
bool ProgressWorker::must_poll() const {
  return std::ranges::any_of(queues_, [&](const auto& queue) {
    if (queue->tasks.empty()) return false;
    Doorbell* const bell = queue->tasks.front()->doorbell();
    return bell != bell_ && bell != &own_bell_;
  });
}

/// The doorbell of the first task that has one becomes the doorbell on which all threads sleep.
void ProgressWorker::take_bell_of(const Task& task) {
  Doorbell* const bell = task.doorbell();
  if (!bell || bell_ != &own_bell_ || bell == bell_) return;
  stop_listening();
  bell_ = bell;
  own_bell_.call(kWorker);
  own_bell_.call(kHost);
}

/// Advances the first task of every queue. Returns true if one is finished or can continue. @pre no thread is in a task
bool ProgressWorker::advance_all(Lock& lock) {
  advancing_ = true;
  bool moved = false;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    if (queues_[i]->tasks.empty()) continue;
    const std::shared_ptr<Queue> queue = queues_[i];  // the list may change meanwhile
    const Task::State state = in_task(*queue, lock, [](Task& task) { return task.advance(); });
    moved = moved || state != Task::State::waiting;
  }
  stop_advancing();
  return moved;
}

void ProgressWorker::stop_advancing() {
  advancing_ = false;
  free_.notify_all();
}

/// Calls `work` with the first task of `queue`, outside the mutex. Returns the task's state; a failed task is finished.
template <class Work>
Task::State ProgressWorker::in_task(Queue& queue, Lock& lock, const Work& work) {
  Task& task = *queue.tasks.front();
  std::exception_ptr failure;
  auto state = Task::State::finished;
  lock.unlock();
  try {
    state = work(task);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  if (failure) {
    queue.failure = failure;
    queue.lost = {queue.finished, queue.submitted, failure};
    queue.tasks.clear();  // the later tasks would run on wrong data
    queue.finished = queue.submitted;
  } else if (state == Task::State::finished) {
    queue.tasks.pop_front();
    ++queue.finished;
  }
  if (state == Task::State::finished && resting_ > 0) bell_->call(kHost);
  return state;
}

}  // namespace recombine::cpu
