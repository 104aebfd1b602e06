#pragma once

#include <algorithm>
#include <span>

#include "distributed/mpi/host/calls.hpp"
#include "distributed/mpi/host/channel.hpp"
#include "kernels/ceil_div.hpp"
#include "kernels/cpu/cpu_stream.hpp"

namespace recombine::mpi {

/// Polls without progress before a task returns: about 20 ns each, 2 us together. The other ranks usually make the same
/// move in that time.
constexpr int kPolls = 100;

/// Calls task.move() until the task is finished or has not moved for kPolls polls. If this rank has just moved, the
/// other ranks usually follow within a microsecond, so polling is worth it. If the first move fails, it returns at
/// once. After kMoves moves it returns State::ready, so other streams get their turn.
template <class Steps>
cpu::Task::State move_with_others(Steps& task) {
  constexpr int kMoves = 64;  // about 5 us each
  if (!task.move()) return cpu::Task::finished_or_waiting(task.finished());
  for (int idle = 0, moves = 1; !task.finished() && idle < kPolls;) {
    if (moves == kMoves) return cpu::Task::State::ready;
    if (task.move()) {
      idle = 0;
      ++moves;
    } else {
      ++idle;
      __builtin_ia32_pause();
    }
  }
  return cpu::Task::finished_or_waiting(task.finished());
}

/// An operation on a channel, in steps. In each step the rank fills its own slot and takes (reads) the other ranks'
/// slots. If a step has arrived, the rank takes it; otherwise it fills the next slot. It takes a step, and so changes
/// data, only after all ranks are known to make the same call.
class StepsTask : public cpu::Task {
 public:
  State advance() final {
    const State state = move_with_others(*this);
    return state == State::waiting ? finished_or_waiting(all_agree() && finished()) : state;
  }
  /// Runs only operations of at most one step, which takes a few microseconds.
  State begin() final { return steps_ > 1 ? State::ready : advance(); }
  cpu::Doorbell* doorbell() const final { return channel_.doorbell(); }

  /// Takes or fills one step. Returns false if neither is possible now.
  bool move() {
    if (taken_ < filled_ && can_take() && all_agree()) {
      take_step(taken_++);
      channel_.take();
      return true;
    }
    if (filled_ < steps_ && can_fill()) {
      fill_step(filled_++);
      channel_.publish(call_.mark());
      return true;
    }
    return false;
  }
  bool finished() const { return agreed_ && taken_ == steps_; }

 protected:
  StepsTask(Channel& channel, std::int64_t steps, const Call& call) : channel_(channel), steps_(steps), call_(call) {}

  virtual bool can_fill() { return channel_.may_fill(); }
  virtual bool can_take() { return channel_.all_arrived(); }
  virtual void fill_step(std::int64_t step) = 0;
  virtual void take_step(std::int64_t step) = 0;

  Channel& channel() const { return channel_; }
  void write(std::byte* slot, ConstVectorView from) { channel_.writer().write(slot, from); }
  const Call& call() const { return call_; }
  std::int64_t filled() const { return filled_; }
  std::int64_t taken() const { return taken_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  bool all_agree() { return agreed_ || (agreed_ = call_.agreed_over(channel_)); }

  Channel& channel_;
  std::int64_t steps_;
  Call call_;
  bool agreed_ = false;
  std::int64_t filled_ = 0;
  std::int64_t taken_ = 0;
};

/// Number of steps that the longest of `pieces` needs, at most `elements` elements each.
inline std::int64_t steps_for(std::span<const VectorView> pieces, std::int64_t elements) {
  std::int64_t most = 0;
  for (const VectorView& piece : pieces) most = std::max(most, piece.size);
  return ceil_div(most, elements);
}

}  // namespace recombine::mpi
