#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "distributed/mpi/host/doorbells.hpp"
#include "distributed/signature.hpp"

namespace recombine::mpi {

/// A call in two words. Different calls have different hashes, as good as surely.
struct CallMark {
  std::uint64_t sequence = 0;
  std::uint64_t hash = 0;
};

/// Where the data of a call is in common memory; nowhere if it passes through slots.
struct Place {
  static constexpr std::int64_t kNowhere = -1;
  std::int64_t memory = kNowhere;  ///< which: they are made in the same order on every rank
  std::int64_t offset = 0;         ///< bytes
  bool operator==(const Place&) const = default;
};

/// The calls of a group of ranks of one host, compared in memory that these share. A rank changes no data, and goes on
/// to the next call, only once it has seen that all ranks make the same one. Data that goes through slots brings a mark
/// of its call along (channel.hpp): if all marks are the same, that is all. Everything else is compared here, where a
/// rank shows what it calls if it waits, or if no data comes from the others: so ranks whose calls take different ways
/// see each other. Nothing here blocks.
class Calls {
 public:
  /// A line in shared memory, so that a reader waits for memory once.
  struct alignas(64) Shown {
    std::atomic<std::uint64_t> number;  ///< of the call, from 1 on
    Signature signature;
    Place place;
  };
  static_assert(sizeof(Shown) == 64);

  /// What one rank has in shared memory, zero at first. It alone writes it: one call while others read the one before.
  struct Board {
    Shown shown[2];
  };

  /// `ranks`: their numbers in the job, for messages.
  Calls(std::size_t rank, std::vector<Board*> boards, std::vector<int> ranks, Doorbells doorbells = {})
      : rank_(rank),
        boards_(std::move(boards)),
        ranks_(std::move(ranks)),
        doorbells_(std::move(doorbells)),
        seen_(boards_.size()) {}

  /// Rung when another rank has shown a call.
  cpu::Doorbell* doorbell() const { return doorbells_.own(); }

  /// Shows this rank's call, unless that is done. @pre all ranks agreed on the one before. @throws Error if that failed
  void show(const Signature& signature, const Place& place) {
    if (shown_ <= signature.sequence) show_now(signature, place);
  }
  /// Whether all ranks make the same call as this one, the one shown last. @throws Error if another makes another call
  bool agreed() { return agreed_ == shown_ || compare(); }

  bool failed() const { return !failure_.empty(); }
  bool known_to_agree(std::uint64_t sequence) const { return agreed_ > sequence; }
  /// On call `sequence`, as marks have told.
  void set_agreed(std::uint64_t sequence) { agreed_ = sequence + 1; }

 private:
  void show_now(const Signature& signature, const Place& place);
  bool compare();
  void compare_with(std::size_t rank);
  void compare_lengths();
  [[noreturn]] void fail(const std::string& why);
  const Shown& shown(std::size_t rank) const { return boards_[rank]->shown[shown_ % 2]; }
  RankCall call_of(std::size_t rank) const { return {ranks_[rank], shown(rank).signature}; }

  std::size_t rank_;
  std::vector<Board*> boards_;  ///< one per rank
  std::vector<int> ranks_;
  Doorbells doorbells_;
  std::vector<std::uint64_t> seen_;  ///< number of each rank's call that was compared last
  std::uint64_t shown_ = 0;          ///< number of this rank's call that was shown last
  std::uint64_t agreed_ = 0;         ///< number of the last call that all ranks made
  std::string failure_;
};

/// A call of this rank, for the tasks that carry it out. A part of a larger operation, which is checked as a whole, has
/// none: it may go on at once.
class Call {
 public:
  Call() = default;
  Call(Calls& calls, const Signature& signature, const Place& place = {})
      : calls_(&calls), signature_(signature), place_(place), mark_{signature.sequence, signature.hash()} {}

  /// Shows it, unless that is done. @throws Error
  void show() const {
    if (calls_ != nullptr) calls_->show(signature_, place_);
  }
  /// True once all ranks are known to make this call, which it shows. @throws Error if one makes another
  bool agreed() const {
    if (calls_ == nullptr || calls_->known_to_agree(signature_.sequence)) return true;
    calls_->show(signature_, place_);
    return calls_->agreed();
  }
  /// The same for a call whose data come over `channel`, with marks. Those know no lengths of a shift.
  template <class Channel>
  bool agreed_over(const Channel& channel) const {
    if (calls_ == nullptr) return true;
    const bool marks_say_all = signature_.operation != Operation::shift && !calls_->failed();
    if (!marks_say_all || !channel.all_marked(mark_)) return agreed();
    calls_->set_agreed(signature_.sequence);
    return true;
  }
  const CallMark& mark() const { return mark_; }
  cpu::Doorbell* doorbell() const { return calls_ ? calls_->doorbell() : nullptr; }

 private:
  Calls* calls_ = nullptr;
  Signature signature_;
  Place place_;
  CallMark mark_;
};

}  // namespace recombine::mpi
