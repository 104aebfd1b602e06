#include "kernels/cpu/cpu_stream.hpp"

#include "kernels/cpu/patience.hpp"
#include "kernels/error.hpp"

namespace recombine::cpu {

namespace {

class DoneEvent final : public EventState {
 public:
  void synchronize() override {}
  bool done() override { return true; }
};

/// Runs `task` until it is finished. At first it pauses between polls; later it sleeps.
void finish(Task& task) {
  constexpr auto kHost = Doorbell::Listener::host;
  Patience patience;
  for (auto state = task.advance(); state != Task::State::finished; state = task.advance()) {
    if (state == Task::State::ready) patience.start_again();
    if (state == Task::State::ready || patience.pause()) continue;
    Doorbell* const bell = task.doorbell();
    if (!bell) {
      patience.nap();
      continue;
    }
    const std::uint32_t ticket = bell->ticket();
    const Listening listening(*bell, kHost);
    state = task.advance();
    if (state == Task::State::finished) return;
    if (state == Task::State::waiting) bell->sleep(kHost, ticket, std::nullopt);
    patience.start_again();
  }
}

class InlineStream final : public CpuStream {
 public:
  Event record() override { return done_; }
  void wait(const Event& event) override { event->synchronize(); }
  void synchronize() override {}
  void submit(std::unique_ptr<Task> task) override { finish(*task); }

 private:
  Event done_ = std::make_shared<DoneEvent>();
};

class CallTask final : public Task {
 public:
  explicit CallTask(std::function<void()> work) : work_(std::move(work)) {}
  State advance() override {
    work_();
    return State::finished;
  }

 private:
  std::function<void()> work_;
};

}  // namespace

CpuStream& as_cpu_stream(Stream& stream) {
  auto* const cpu = dynamic_cast<CpuStream*>(&stream);
  require(cpu != nullptr, "this stream belongs to another device; expected a stream of a CPU");
  return *cpu;
}

void submit_call(CpuStream& stream, std::function<void()> work) {
  stream.submit(std::make_unique<CallTask>(std::move(work)));
}

std::unique_ptr<CpuStream> make_inline_stream() { return std::make_unique<InlineStream>(); }

}  // namespace recombine::cpu
