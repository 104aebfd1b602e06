#include <cstring>

#include "distributed/mpi/host/copy.hpp"
#include "distributed/mpi/host/host_exchange.hpp"
#include "distributed/mpi/host/steps.hpp"
#include "distributed/ring.hpp"
#include "kernels/ceil_div.hpp"

namespace recombine::mpi {

namespace {

/// Step s, three ranks, distance 1; a, b, c: chunk s of what ranks 0, 1, 2 send.
///
///     rank 0   fills [a]   takes c from slot 2
///     rank 1   fills [b]   takes a from slot 0
///     rank 2   fills [c]   takes b from slot 1
///
/// What is sent may differ in length from rank to rank, and nobody knows all lengths beforehand: each slot begins with
/// its rank's, and the longest, known when all have published the first step, says how many steps there are.
class Shift final : public StepsTask {
 public:
  Shift(Channel& channel, ConstVectorView out, VectorView in, std::size_t from, const Call& call)
      : StepsTask(channel, steps_of(out.bytes()), call),
        out_{out.data, out.bytes(), DataType::u8},
        in_{in.data, in.bytes(), DataType::u8},
        from_(from) {}

 private:
  static constexpr std::int64_t kHeader = 64;
  static constexpr std::int64_t kChunk = Channel::kSlotBytes - kHeader;  ///< bytes

  /// At least the one that tells the lengths.
  static std::int64_t steps_of(std::int64_t bytes) { return std::max<std::int64_t>(1, ceil_div(bytes, kChunk)); }

  bool can_take() override { return taken() == 0 ? channel().all_arrived() : channel().arrived(from_); }
  void fill_step(std::int64_t step) override {
    if (step == 0) call().show();  // all need the lengths, before anyone waits for them
    std::byte* slot = channel().slot_to_fill();
    std::memcpy(slot, &out_.size, sizeof out_.size);
    write(slot + kHeader, chunk_of(out_, step, kChunk));
  }
  void take_step(std::int64_t step) override {
    if (step == 0) read_lengths();
    const VectorView to = chunk_of(in_, step, kChunk);
    take_from_slot(to.data, ConstVectorView{channel().arrived_slot(from_) + kHeader, to.size, to.type});
  }

  std::int64_t length_of(std::size_t rank) const {
    std::int64_t length = 0;
    std::memcpy(&length, channel().arrived_slot(rank), sizeof length);
    return length;
  }
  void read_lengths() {
    std::int64_t longest = 0;
    for (std::size_t r = 0; r < channel().size(); ++r) longest = std::max(longest, length_of(r));
    set_steps(steps_of(longest));
  }

  ConstVectorView out_;  ///< as bytes
  VectorView in_;
  std::size_t from_;
};

}  // namespace

std::unique_ptr<cpu::Task> HostExchange::shift(ConstVectorView out, VectorView in, int distance,
                                               const Signature& signature) {
  const int from = ring_rank(static_cast<int>(parts_->rank()), -distance, size());
  return std::make_unique<Shift>(*parts_, out, in, static_cast<std::size_t>(from), Call(*calls_, signature));
}

}  // namespace recombine::mpi
