#include "distributed/mpi/host/copy.hpp"
#include "distributed/mpi/host/host_exchange.hpp"
#include "distributed/mpi/host/steps.hpp"

namespace recombine::mpi {

namespace {

/// Step s of a broadcast on three ranks from root 0. a: chunk s of the data.
///
///     rank 0   fills [a]   takes nothing
///     rank 1   fills [ ]   takes a from slot 0
///     rank 2   fills [ ]   takes a from slot 0
class Broadcast final : public StepsTask {
 public:
  Broadcast(Channel& channel, VectorView data, std::size_t root, const Call& call)
      : StepsTask(channel, steps_for({&data, 1}, Channel::kSlotBytes / size_of(data.type)), call),
        data_(data),
        root_(root),
        chunk_(Channel::kSlotBytes / size_of(data.type)) {}

 private:
  bool is_root() const { return channel().rank() == root_; }
  bool can_fill() override { return !is_root() || channel().may_fill(); }
  bool can_take() override { return channel().arrived(root_); }
  void fill_step(std::int64_t step) override {
    if (is_root()) write(channel().slot_to_fill(), chunk_of(data_, step, chunk_));
  }
  void take_step(std::int64_t step) override {
    if (is_root()) return;
    const VectorView to = chunk_of(data_, step, chunk_);
    take_from_slot(to.data, ConstVectorView{channel().arrived_slot(root_), to.size, to.type});
  }

  VectorView data_;
  std::size_t root_;
  std::int64_t chunk_;
};

}  // namespace

std::unique_ptr<cpu::Task> HostExchange::broadcast(VectorView data, int root, const Signature& signature) {
  return std::make_unique<Broadcast>(*parts_, data, static_cast<std::size_t>(root), Call(*calls_, signature));
}

}  // namespace recombine::mpi
