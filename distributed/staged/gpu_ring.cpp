#include "distributed/staged/gpu_ring.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "distributed/mesh.hpp"
#include "distributed/staged/slots.hpp"
#include "kernels/ceil_div.hpp"
#include "kernels/cuda/combine.hpp"
#include "kernels/cuda/cuda_stream.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kShortest = std::int64_t{1} << 20;  ///< bytes of a step, at least, if a call has several
constexpr std::int64_t kStepsPerCall = 8;                  ///< at least, unless they would be shorter than that
constexpr std::int64_t kWhole = std::int64_t{256} << 10;   ///< up to these bytes, each rank sums all of the data
constexpr std::int64_t kAlignment = 256;

std::size_t index_of(int rank) { return static_cast<std::size_t>(rank); }

/// Step `step` of `data`, which is cut into steps of `elements` elements. Empty after the end of `data`.
VectorView step_of(VectorView data, std::int64_t step, std::int64_t elements) {
  const std::int64_t begin = std::min(data.size, step * elements);
  return data.range(begin, std::min(data.size, begin + elements));
}

class Ring final : public GpuRing {
 public:
  Ring(Communicator& group, Device& device, std::unique_ptr<Slots> slots)
      : rank_(group.rank()),
        ranks_(group.size()),
        device_(device),
        slots_(std::move(slots)),
        down_(device.make_stream(StreamUse::communication)),
        whole_(std::min(kWhole, slots_->slot_bytes())),
        scratch_(device.allocate(std::max(slots_->slot_bytes(), (ranks_ - 1) * whole_) + ranks_ * 2 * kAlignment,
                                 MemoryKind::device)) {}
  ~Ring() override {
    slots_->end_if_unwinding();
    device_.deallocate(scratch_, MemoryKind::device);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  void all_reduce(Stream& stream, VectorView data, Reduction reduction) override;
  void reduce_scatter(Stream& stream, std::span<const VectorView> pieces, Reduction reduction) override;
  void all_gather(Stream& stream, std::span<const VectorView> pieces) override;
  void broadcast(Stream& stream, VectorView data, int root) override;

 private:
  /// Runs the protocol. fill(step, down) enqueues copies to this rank's slot; take(step) enqueues on `stream` the work
  /// that reads the slots.
  template <class Fill, class Take>
  void run(Stream& stream, std::int64_t steps, const Fill& fill, const Take& take);
  void reduce_whole(Stream& stream, VectorView data, Reduction reduction);
  void reduce_shares(Stream& stream, VectorView data, Reduction reduction);

  /// Elements of a step for data of `bytes` bytes.
  std::int64_t step_elements(std::int64_t bytes, DataType type) const;
  /// Memory in a rank's slot, `offset` bytes from its beginning, with the size and type of `like`.
  VectorView in_slot(int rank, std::int64_t offset, VectorView like) const {
    return {slots_->slot_of(rank) + offset, like.size, like.type};
  }
  void copy(Stream& stream, VectorView to, ConstVectorView from) { device_.copy(stream, to, from); }
  /// data = the sum of `data` and the terms at `offset` in the other ranks' slots, added in rank order.
  void add_others(Stream& stream, VectorView data, std::int64_t offset, Reduction reduction);

  int rank_;
  int ranks_;
  Device& device_;
  std::unique_ptr<Slots> slots_;
  std::unique_ptr<Stream> down_;
  std::int64_t whole_;
  std::byte* scratch_;  ///< GPU memory, for copies from the other ranks' slots
};

std::int64_t Ring::step_elements(std::int64_t bytes, DataType type) const {
  const std::int64_t wanted = std::max(round_up(ceil_div(bytes, kStepsPerCall), kAlignment), kShortest);
  return std::min(wanted, slots_->slot_bytes()) / size_of(type);
}

template <class Fill, class Take>
void Ring::run(Stream& stream, std::int64_t steps, const Fill& fill, const Take& take) {
  Stream& down = steps > 1 ? *down_ : stream;
  if (steps > 1) down.wait(stream.record());
  for (std::int64_t step = 0; step < steps; ++step) {
    slots_->next_step();
    slots_->wait_until_free(down);
    fill(step, down);
    slots_->show(down);
    if (steps > 1) stream.wait(down.record());  // writes to the data come after the copy of it
    slots_->wait_until_shown(stream);
    take(step);
    slots_->take(stream);
  }
}

void Ring::add_others(Stream& stream, VectorView data, std::int64_t offset, Reduction reduction) {
  if (data.size == 0) return;
  const cudaStream_t gpu = cuda::as_cuda_stream(stream);
  const auto combination = reduction == Reduction::sum ? cuda::Combination::sum : cuda::Combination::max;
  VectorView sum = data;
  std::byte* free = scratch_;
  for (int r = 0; r < ranks_; ++r) {
    VectorView term = data;
    if (r != rank_) {
      term.data = std::exchange(free, free + round_up(data.bytes(), kAlignment));
      copy(stream, term, in_slot(r, offset, data));
    }
    if (r == 0) {
      sum = term;
      continue;
    }
    const VectorView to = r >= rank_ ? data : sum;  // until this rank's term is added, the sum is in scratch
    cuda::combine(gpu, combination, sum, term, to);
    sum = to;
  }
}

void Ring::all_reduce(Stream& stream, VectorView data, Reduction reduction) {
  // One of n ranks copies up (n - 1) times the data if it sums all of it, 2 (n - 1) / n times with shares. Shares wait
  // twice.
  ranks_ == 2 || data.bytes() <= whole_ ? reduce_whole(stream, data, reduction)
                                        : reduce_shares(stream, data, reduction);
}

/// Every rank copies up all data of the other ranks, and sums it.
void Ring::reduce_whole(Stream& stream, VectorView data, Reduction reduction) {
  const std::int64_t elements = step_elements(data.bytes(), data.type);
  const auto part = [&](std::int64_t step) { return step_of(data, step, elements); };
  run(
      stream, ceil_div(data.size, elements),
      [&](std::int64_t step, Stream& down) { copy(down, in_slot(rank_, 0, part(step)), part(step)); },
      [&](std::int64_t step) { add_others(stream, part(step), 0, reduction); });
}

/// Rank r sums share r of each part, and the other ranks copy up the sum. Each part takes two steps:
///
///     down    | terms 0 | terms 1 | sums 0 | terms 2 | sums 1 | ...      terms: the others' shares of this rank's data
///     stream        | add 0  | add 1 | gather 0 | add 2 | gather 1 | ...
void Ring::reduce_shares(Stream& stream, VectorView data, Reduction reduction) {
  constexpr std::int64_t kUnit = 16;  // elements: shares begin at multiples of it, where packs are aligned
  const std::int64_t elements = step_elements(data.bytes(), data.type);
  const std::int64_t parts = ceil_div(data.size, elements);
  struct Share {
    VectorView data;
    std::int64_t offset;  ///< bytes in the slot
  };
  const auto share = [&](std::int64_t part, int rank) {
    const VectorView whole = step_of(data, part, elements);
    const Range range = split_range(whole.size, ranks_, rank, kUnit);
    return Share{whole.range(range.begin, range.end), range.begin * size_of(data.type)};
  };
  const auto is_add = [&](std::int64_t step) { return step == 0 || (step % 2 == 1 && step < 2 * parts - 1); };
  const auto part_of = [&](std::int64_t step) { return is_add(step) ? (step + 1) / 2 : (step - 1) / 2; };
  std::vector<Event> added(static_cast<std::size_t>(parts));
  const auto for_others = [&](std::int64_t step, const auto& call) {
    for (int r = 0; r < ranks_; ++r) {
      if (r != rank_) call(r, share(part_of(step), r));
    }
  };
  run(
      stream, 2 * parts,
      [&](std::int64_t step, Stream& down) {
        if (is_add(step)) {
          return for_others(step, [&](int, const Share& s) { copy(down, in_slot(rank_, s.offset, s.data), s.data); });
        }
        down.wait(added[static_cast<std::size_t>(part_of(step))]);
        const Share own = share(part_of(step), rank_);
        copy(down, in_slot(rank_, own.offset, own.data), own.data);
      },
      [&](std::int64_t step) {
        if (!is_add(step)) {
          return for_others(step, [&](int r, const Share& s) { copy(stream, s.data, in_slot(r, s.offset, s.data)); });
        }
        const Share own = share(part_of(step), rank_);
        add_others(stream, own.data, own.offset, reduction);
        added[static_cast<std::size_t>(part_of(step))] = stream.record();
      });
}

std::int64_t longest_of(std::span<const VectorView> pieces) {
  std::int64_t longest = 0;
  for (const VectorView& piece : pieces) longest = std::max(longest, piece.size);
  return longest;
}

void Ring::reduce_scatter(Stream& stream, std::span<const VectorView> pieces, Reduction reduction) {
  // A slot has a range for each rank's piece.
  const std::int64_t unit = size_of(pieces[0].type);
  const std::int64_t room = slots_->slot_bytes() / ranks_ / kAlignment * kAlignment;
  const std::int64_t elements = std::min(step_elements(longest_of(pieces) * unit, pieces[0].type), room / unit);
  run(
      stream, ceil_div(longest_of(pieces), elements),
      [&](std::int64_t step, Stream& down) {
        for (int r = 0; r < ranks_; ++r) {
          const VectorView part = step_of(pieces[index_of(r)], step, elements);
          if (r != rank_) copy(down, in_slot(rank_, r * room, part), part);
        }
      },
      [&](std::int64_t step) {
        add_others(stream, step_of(pieces[index_of(rank_)], step, elements), rank_ * room, reduction);
      });
}

void Ring::all_gather(Stream& stream, std::span<const VectorView> pieces) {
  const DataType type = pieces[0].type;
  const std::int64_t elements = step_elements(longest_of(pieces) * size_of(type), type);
  const auto part = [&](int r, std::int64_t step) { return step_of(pieces[index_of(r)], step, elements); };
  run(
      stream, ceil_div(longest_of(pieces), elements),
      [&](std::int64_t step, Stream& down) { copy(down, in_slot(rank_, 0, part(rank_, step)), part(rank_, step)); },
      [&](std::int64_t step) {
        for (int r = 0; r < ranks_; ++r) {
          if (r != rank_) copy(stream, part(r, step), in_slot(r, 0, part(r, step)));
        }
      });
}

void Ring::broadcast(Stream& stream, VectorView data, int root) {
  const std::int64_t elements = step_elements(data.bytes(), data.type);
  const auto part = [&](std::int64_t step) { return step_of(data, step, elements); };
  run(
      stream, ceil_div(data.size, elements),
      [&](std::int64_t step, Stream& down) {
        if (rank_ == root) copy(down, in_slot(root, 0, part(step)), part(step));
      },
      [&](std::int64_t step) {
        if (rank_ != root) copy(stream, part(step), in_slot(root, 0, part(step)));
      });
}

/// Null if this rank cannot pin the memory.
std::unique_ptr<Slots> pin(Communicator& group, ComparedCalls& calls, Device& device, const SharedPieces& memory,
                           std::int64_t slot_bytes) {
  const auto stream = device.make_stream(StreamUse::communication);
  try {
    return std::make_unique<Slots>(group, calls, cuda::gpu_of(*stream), memory, slot_bytes);
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace

std::unique_ptr<GpuRing> make_gpu_ring(Communicator& group, ComparedCalls& calls, Device& device,
                                       std::int64_t slot_bytes) {
  const std::int64_t smallest = group.size() * kAlignment;
  require(slot_bytes >= smallest && slot_bytes % kAlignment == 0,
          "staging slots of {} bytes; expected at least {} and a multiple of {}", slot_bytes, smallest, kAlignment);
  auto* const sharing = dynamic_cast<SharesMemory*>(&group);
  const SharedPieces memory =
      sharing ? sharing->share_memory(Slots::bytes_for(group.size(), slot_bytes)) : SharedPieces();
  if (!memory.owner) return nullptr;
  std::unique_ptr<Slots> slots = pin(group, calls, device, memory, slot_bytes);
  std::int32_t failed = slots ? 0 : 1;
  group.all_reduce(calls.host(), vector_view(&failed, 1), Reduction::max);
  calls.host().synchronize();
  if (failed != 0) return nullptr;
  return std::make_unique<Ring>(group, device, std::move(slots));
}

}  // namespace recombine
