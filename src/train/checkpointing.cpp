#include "src/train/checkpointing.hpp"

#include <utility>

#include "kernels/error.hpp"
#include "src/nn/checkpoint/stored_tensors.hpp"
#include "src/report/standard_output.hpp"

namespace recombine {

namespace {

/// The words that the ranks exchange after each step. Each rank gets the maximum of each word.
enum Word : std::size_t {
  kStop,         ///< 1: this rank is asked to stop
  kDue,          ///< the number of the checkpoint that is due, by the clock of rank 0
  kFailed,       ///< 1: this rank could not write its share
  kLeftToWrite,  ///< -progress(): the maximum gives the least progress
};

constexpr double kLongWait = 0.1;  // seconds; a note reports the first longer wait

}  // namespace

Checkpointing::Checkpointing(const CheckpointWriter::Parts& parts, Trainer& trainer, const CheckpointCommand& command,
                             const StopRequest& stop, CheckpointInfo facts)
    : parts_(parts),
      trainer_(trainer),
      command_(command),
      stop_(stop),
      info_(std::move(facts)),
      writer_(parts, trainer.tensors(), {.name = command.name(), .keep = command.keep}),
      agreement_(parts.world, parts.stream),
      begun_at_(Session::now()) {}

/// True on rank 0 if the time of --checkpoint-minutes has passed. exchange() sends the checkpoint's number, not a flag:
/// ranks read it a step later, and ignore it if that checkpoint has begun in the meantime.
bool Checkpointing::is_due() const {
  const bool timed = parts_.world.rank() == 0 && command_.minutes > 0;
  return timed && Session::now() - begun_at_ >= 60 * command_.minutes;
}

bool Checkpointing::exchange() {
  agreed_ = agreement_.exchange(
      {stop_.reason() ? 1 : 0, is_due() ? begun_ + 1 : 0, writer_.failed() ? 1 : 0, -writer_.progress()});
  if (agreed_[kFailed] != 0) writer_.finish();  // throws
  writer_.advance(-agreed_[kLeftToWrite]);
  return agreed_[kStop] != 0;
}

TrainingControl::Wish Checkpointing::after_step(const TrainState& state) {
  if (exchange()) return Wish::stop;
  if (state.step == trainer_.total_steps()) return Wish::go_on;  // the final checkpoint follows
  const bool every = command_.every > 0 && state.step % command_.every == 0;
  return every || agreed_[kDue] > begun_ ? Wish::checkpoint : Wish::go_on;
}

bool Checkpointing::stops_evaluation() { return exchange(); }

void Checkpointing::wait_for_last() {
  if (!writer_.is_busy()) return;
  const double start = Session::now();
  writer_.finish();
  const double waited = Session::now() - start;
  result_.waited_seconds += waited;
  if (waited >= kLongWait && result_.waits++ == 0 && parts_.world.rank() == 0 && !command_.quiet) {
    print_note("train",
               fmt::format("{}: training waited {:.2f} s until the previous checkpoint was written; expected a "
                           "faster disk, or fewer checkpoints",
                           command_.name(), waited));
  }
}

void Checkpointing::save(const TrainState& state) {
  if (saved_ == state) return;
  wait_for_last();
  const double start = Session::now();
  info_.state = state;
  info_.fingerprints = trainer_.compare_replicas();
  writer_.begin(state.step, checkpoint_header(stored_tensors(trainer_.tensors()), info_));
  saved_ = state;
  ++begun_;
  begun_at_ = Session::now();
  result_.pause_seconds += begun_at_ - start;
  ++result_.count;
}

}  // namespace recombine
