#include "kernels/cpu/progress_engine.hpp"

#include <utility>

#include "kernels/cpu/progress_worker.hpp"

namespace recombine::cpu {

namespace {

/// A task that is finished once an event of another stream is done.
class EventTask final : public Task {
 public:
  EventTask(Event event, Doorbell* bell) : event_(std::move(event)), bell_(bell) {}
  State advance() override { return finished_or_waiting(event_->done()); }
  State begin() override { return advance(); }
  Doorbell* doorbell() const override { return bell_; }

 private:
  Event event_;
  Doorbell* bell_;
};

class ProgressStream final : public CpuStream {
 public:
  explicit ProgressStream(std::shared_ptr<ProgressWorker> worker) : worker_(std::move(worker)) { worker_->add(queue_); }
  ~ProgressStream() override {
    try {
      synchronize();
    } catch (...) {  // a destructor cannot throw
    }
    worker_->remove(queue_);
  }

  Event record() override { return std::make_shared<QueueEvent>(worker_, queue_, worker_->submitted(*queue_)); }

  void wait(const Event& event) override {
    if (event->done()) return;
    // An event of this engine is done when one of the engine's tasks ends; no thread sleeps then. Poll other events.
    const auto* const own = dynamic_cast<const QueueEvent*>(event.get());
    submit(std::make_unique<EventTask>(event, own && own->worker() == worker_ ? worker_->own_bell() : nullptr));
  }

  void synchronize() override { worker_->wait(*queue_, worker_->submitted(*queue_)); }
  void submit(std::unique_ptr<Task> task) override { worker_->submit(*queue_, std::move(task)); }
  void host_will_wait() override { worker_->expect_host(*queue_); }

 private:
  using Queue = ProgressWorker::Queue;

  class QueueEvent final : public EventState {
   public:
    QueueEvent(std::shared_ptr<ProgressWorker> worker, std::shared_ptr<Queue> queue, std::uint64_t count)
        : worker_(std::move(worker)), queue_(std::move(queue)), count_(count) {}
    void synchronize() override { worker_->wait(*queue_, count_); }
    bool done() override { return worker_->done(*queue_, count_); }
    const std::shared_ptr<ProgressWorker>& worker() const { return worker_; }

   private:
    std::shared_ptr<ProgressWorker> worker_;
    std::shared_ptr<Queue> queue_;
    std::uint64_t count_;
  };

  std::shared_ptr<ProgressWorker> worker_;
  std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
};

}  // namespace

ProgressEngine::ProgressEngine() : worker_(std::make_shared<ProgressWorker>()) {}
ProgressEngine::~ProgressEngine() = default;

std::unique_ptr<CpuStream> ProgressEngine::make_stream() { return std::make_unique<ProgressStream>(worker_); }

}  // namespace recombine::cpu
