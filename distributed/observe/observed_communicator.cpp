#include "distributed/observe/observed_communicator.hpp"

#include <functional>
#include <utility>

#include "distributed/collective.hpp"
#include "kernels/cpu/cpu_stream.hpp"
#include "kernels/trace_range.hpp"

namespace recombine {

namespace {

/// A collective that writes its begin and end into the journal.
class TimedTask final : public cpu::Task {
 public:
  TimedTask(std::unique_ptr<cpu::Task> task, Journal& journal, std::int64_t id)
      : task_(std::move(task)), journal_(journal), id_(id) {}

  State begin() override {
    return noted([&] { return task_->begin(); });
  }
  State advance() override {
    return noted([&] { return task_->advance(); });
  }
  cpu::Doorbell* doorbell() const override { return task_->doorbell(); }

 private:
  template <class Work>
  State noted(const Work& work) {
    if (!std::exchange(begun_, true)) journal_.begin(id_);
    const State state = work();
    if (state == State::finished) journal_.end(id_);
    return state;
  }

  std::unique_ptr<cpu::Task> task_;
  Journal& journal_;
  std::int64_t id_;
  bool begun_ = false;
};

/// A stream that wraps each task in a TimedTask.
class TimedStream final : public cpu::CpuStream {
 public:
  TimedStream(cpu::CpuStream& stream, Journal& journal, std::int64_t id)
      : stream_(stream), journal_(journal), id_(id) {}

  void submit(std::unique_ptr<cpu::Task> task) override {
    stream_.submit(std::make_unique<TimedTask>(std::move(task), journal_, id_));
  }
  Event record() override { return stream_.record(); }
  void wait(const Event& event) override { stream_.wait(event); }
  void synchronize() override { stream_.synchronize(); }
  void host_will_wait() override { stream_.host_will_wait(); }

 private:
  cpu::CpuStream& stream_;
  Journal& journal_;
  std::int64_t id_;
};

std::int64_t bytes_for(std::span<const Piece> pieces, const std::function<bool(int)>& counts) {
  std::int64_t bytes = 0;
  for (const Piece& piece : pieces) bytes += counts(piece.peer) ? piece.data.bytes() : 0;
  return bytes;
}

class ObservedCommunicator final : public Communicator {
 public:
  ObservedCommunicator(std::unique_ptr<Communicator> group, Journal& journal, Axis axis)
      : group_(std::move(group)), journal_(journal), axis_(axis) {}

  int rank() const override { return group_->rank(); }
  int size() const override { return group_->size(); }
  Communicator& named(const What& what) override {
    next_ = what;
    return *this;
  }

  void all_reduce(Stream& stream, VectorView data, Reduction reduction) override {
    call(stream, entry_of("all_reduce", Collective::all_reduce, data),
         [&](Stream& s) { group_->all_reduce(s, data, reduction); });
  }
  void reduce_scatter(Stream& stream, VectorView data, std::span<const std::int64_t> counts,
                      Reduction reduction) override {
    call(stream, entry_of("reduce_scatter", Collective::reduce_scatter, data),
         [&](Stream& s) { group_->reduce_scatter(s, data, counts, reduction); });
  }
  void all_gather(Stream& stream, VectorView data, std::span<const std::int64_t> counts) override {
    call(stream, entry_of("all_gather", Collective::all_gather, data),
         [&](Stream& s) { group_->all_gather(s, data, counts); });
  }
  void broadcast(Stream& stream, VectorView data, int root) override {
    JournalEntry entry = entry_of("broadcast", Collective::broadcast, data);
    entry.peer = root;
    call(stream, entry, [&](Stream& s) { group_->broadcast(s, data, root); });
  }
  void exchange(Stream& stream, std::span<const Piece> out, std::span<const Piece> in) override {
    const std::int64_t all = bytes_for(out, [](int) { return true; });
    const std::int64_t to_others = bytes_for(out, [this](int peer) { return peer != rank(); });
    call(stream,
         {.operation = "exchange",
          .bytes = all,
          .bytes_sent = static_cast<double>(to_others),
          .peer = out.size() == 1 ? out.front().peer : -1},
         [&](Stream& s) { group_->exchange(s, out, in); });
  }
  Buffer allocate(Device& device, DataType type, std::int64_t size, MemoryUse use) override {
    return group_->allocate(device, type, size, use);
  }
  std::unique_ptr<Communicator> split(int color, int key) override { return group_->split(color, key); }
  bool capturable() const override { return group_->capturable(); }
  void check_call(Stream& stream, const Signature& signature) override { group_->check_call(stream, signature); }

 private:
  JournalEntry entry_of(const char* operation, Collective collective, VectorView data) const {
    return {.operation = operation, .bytes = data.bytes(), .bytes_sent = bytes_sent(collective, size(), data.bytes())};
  }

  template <class Call>
  void call(Stream& stream, JournalEntry entry, const Call& collective) {
    entry.what = std::exchange(next_, {});
    entry.axis = axis_;
    const TraceRange trace(*entry.what.name == '\0' ? entry.operation : entry.what.name);
    const std::int64_t id = journal_.enqueue(entry);
    if (auto* const cpu = dynamic_cast<cpu::CpuStream*>(&stream)) {
      TimedStream timed(*cpu, journal_, id);
      collective(timed);
    } else {
      collective(stream);
    }
  }

  std::unique_ptr<Communicator> group_;
  Journal& journal_;
  Axis axis_;
  What next_;  ///< the purpose of the next collective
};

}  // namespace

std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> group, Journal& journal, Axis axis) {
  return std::make_unique<ObservedCommunicator>(std::move(group), journal, axis);
}

}  // namespace recombine
