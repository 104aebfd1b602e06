#include "distributed/staged/slots.hpp"

#include <exception>

#include "kernels/ceil_div.hpp"
#include "kernels/cuda/cuda_stream.hpp"
#include "kernels/cuda/stream_words.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kPage = 4096;

/// True if `word` has reached `step`; the comparison is cyclic.
bool reached(std::uint32_t word, std::uint32_t step) { return static_cast<std::int32_t>(word - step) >= 0; }

}  // namespace

/// What one rank's GPU writes to another rank. Each word is on its own cache line.
struct Slots::Inbox {
  alignas(64) std::uint32_t shown;  ///< the last step that the writer has shown
  alignas(64) std::uint32_t taken;  ///< the last step that the writer has taken
};

std::int64_t Slots::bytes_for(int ranks, std::int64_t slot_bytes) {
  return round_up(ranks * std::int64_t{sizeof(Inbox)}, kPage) + round_up(kSlots * slot_bytes, kPage);
}

Slots::Slots(Communicator& group, ComparedCalls& calls, const std::shared_ptr<cuda::Gpu>& gpu,
             const SharedPieces& memory, std::int64_t slot_bytes)
    : rank_(group.rank()), ranks_(group.size()), slot_bytes_(slot_bytes), memory_(memory), calls_(calls) {
  for (std::byte* const piece : memory_.of) {
    const std::span pages(piece, static_cast<std::size_t>(memory_.bytes));
    pinned_.push_back(std::make_unique<cuda::RegisteredMemory>(gpu, pages));
  }
  watched_ = gpu->watch().add([this] { return check(); });
}

void Slots::end_if_unwinding() {
  if (std::uncaught_exceptions() == 0) return;
  try {
    failed_ = failed_ || !calls_.all_equal();
  } catch (const Error&) {
    failed_ = true;
  }
}

Slots::Inbox& Slots::inbox(int owner, int writer) const {
  return reinterpret_cast<Inbox*>(memory_.of[static_cast<std::size_t>(owner)])[writer];
}

std::byte* Slots::slot_of(int rank) const {
  const std::int64_t first = round_up(ranks_ * std::int64_t{sizeof(Inbox)}, kPage);
  return memory_.of[static_cast<std::size_t>(rank)] + first + ((step_ - 1) % kSlots) * slot_bytes_;
}

void Slots::next_step() {
  require(!failed_, "an earlier collective of this group has failed");
  ++step_;
}

void Slots::wait_until_free(Stream& down) { wait_for_all(&Inbox::taken, step_ - kSlots, down); }
void Slots::show(Stream& down) { write_to_all(&Inbox::shown, down); }
void Slots::wait_until_shown(Stream& up) { wait_for_all(&Inbox::shown, step_, up); }
void Slots::take(Stream& up) { write_to_all(&Inbox::taken, up); }

void Slots::wait_for_all(std::uint32_t Inbox::*word, std::uint32_t step, Stream& stream) {
  for (int r = 0; r < ranks_; ++r) {
    if (r == rank_) continue;
    std::uint32_t& awaited = inbox(rank_, r).*word;
    if (reached(std::atomic_ref(awaited).load(std::memory_order_acquire), step)) continue;
    cuda::wait_for_word(cuda::as_cuda_stream(stream), &awaited, step);
  }
}

void Slots::write_to_all(std::uint32_t Inbox::*word, Stream& stream) {
  for (int r = 0; r < ranks_; ++r) {
    if (r != rank_) cuda::write_word(cuda::as_cuda_stream(stream), &(inbox(r, rank_).*word), step_);
  }
}

bool Slots::check() {
  if (!failed_) {
    try {
      return calls_.all_equal();
    } catch (const Error&) {
      failed_ = true;
      end_waits();
      throw;
    }
  }
  end_waits();  // again: another rank's GPU may have written a smaller word since
  return true;
}

/// Ends all waits of this rank's GPU, but not those of other ranks. The data of this rank is lost anyway.
void Slots::end_waits() {
  for (int r = 0; r < ranks_; ++r) {
    for (const auto word : {&Inbox::shown, &Inbox::taken}) std::atomic_ref(inbox(rank_, r).*word).store(step_);
  }
}

}  // namespace recombine
