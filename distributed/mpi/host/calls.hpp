#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "distributed/mpi/host/doorbells.hpp"
#include "distributed/observe/signature.hpp"

namespace recombine::mpi {

/// Identifies a call in two words: its number and the hash of its signature. Two different calls have equal hashes
/// with probability 2^-64.
struct CallMark {
  std::uint64_t sequence = 0;
  std::uint64_t hash = 0;
};

/// Where the data of a call is in common memory; kNowhere if the data is not in common memory.
struct Place {
  static constexpr std::int64_t kNowhere = -1;
  std::int64_t memory = kNowhere;  ///< its index in order of creation, which is the same on every rank
  std::int64_t offset = 0;         ///< bytes from the beginning of the rank's piece
  bool operator==(const Place&) const = default;
};

/// Compares the calls of a group of ranks of one host, in memory that these ranks share. A rank changes data, and goes
/// on to the next call, only after it has seen that all ranks make the same call.
///
/// Data in slots carries the mark of its call (channel.hpp). If the marks of all ranks are equal, the calls agree, and
/// nothing else is compared. All other calls are compared here: a rank shows its call on its board if it has to wait,
/// or if the call sends no data through slots. So ranks see each other's calls even if one call uses slots and another
/// uses common memory. No function here blocks.
class Calls {
 public:
  /// A call, on one cache line of shared memory: a reader has one cache miss.
  struct alignas(64) Shown {
    std::atomic<std::uint64_t> number;  ///< of the call, from 1
    Signature signature;
    Place place;
  };
  static_assert(sizeof(Shown) == 64);

  /// One rank's part of the shared memory, zero at first. Only this rank writes it. It has two entries, so the rank can
  /// write a call while the others still read the previous call.
  struct Board {
    Shown shown[2];
  };

  /// @param ranks the numbers of the group's ranks in the job, for messages
  Calls(std::size_t rank, std::vector<Board*> boards, std::vector<int> ranks, Doorbells doorbells = {})
      : rank_(rank),
        boards_(std::move(boards)),
        ranks_(std::move(ranks)),
        doorbells_(std::move(doorbells)),
        seen_(boards_.size()) {}

  /// Another rank rings it after it has shown a call.
  cpu::Doorbell* doorbell() const { return doorbells_.own(); }

  /// Shows this rank's call if it is not shown yet. @throws Error unless all ranks agreed on the previous call
  void show(const Signature& signature, const Place& place) {
    if (shown_ <= signature.sequence) show_now(signature, place);
  }
  /// True if all ranks make the call that this rank has shown last. @throws Error if a rank makes a different call
  bool agreed() { return agreed_ == shown_ || compare(); }

  bool failed() const { return !failure_.empty(); }
  bool known_to_agree(std::uint64_t sequence) const { return agreed_ > sequence; }
  /// Records that all ranks make call `sequence`: their marks are equal.
  void set_agreed(std::uint64_t sequence) { agreed_ = sequence + 1; }
  /// Throws an Error, and so does every later call of the group.
  [[noreturn]] void fail(const std::string& why);
  int rank_in_job(std::size_t rank) const { return ranks_[rank]; }

 private:
  void show_now(const Signature& signature, const Place& place);
  bool compare();
  void compare_with(std::size_t rank);
  const Shown& shown(std::size_t rank) const { return boards_[rank]->shown[shown_ % 2]; }
  RankCall call_of(std::size_t rank) const { return {ranks_[rank], shown(rank).signature}; }

  std::size_t rank_;
  std::vector<Board*> boards_;  ///< one per rank
  std::vector<int> ranks_;
  Doorbells doorbells_;
  std::vector<std::uint64_t> seen_;  ///< per rank: number of its last call that was compared
  std::uint64_t shown_ = 0;          ///< number of the last call that this rank has shown
  std::uint64_t agreed_ = 0;         ///< number of the last call that all ranks made
  std::string failure_;
};

/// A call of this rank, for the task that runs it. A task that is part of a larger operation has an empty Call: the
/// operation is checked as a whole, so its parts may start at once.
class Call {
 public:
  Call() = default;
  Call(Calls& calls, const Signature& signature, const Place& place = {})
      : calls_(&calls), signature_(signature), place_(place), mark_{signature.sequence, signature.hash()} {}

  /// Shows the call if it is not shown yet. @throws Error if an earlier call failed
  void show() const {
    if (calls_ != nullptr) calls_->show(signature_, place_);
  }
  /// True once all ranks are known to make this call; shows the call before. @throws Error if a rank makes another call
  bool agreed() const {
    if (calls_ == nullptr || calls_->known_to_agree(signature_.sequence)) return true;
    calls_->show(signature_, place_);
    return calls_->agreed();
  }
  /// Like agreed(), for a call that sends its data through `channel` with marks.
  template <class Channel>
  bool agreed_over(const Channel& channel) const {
    if (calls_ == nullptr) return true;
    if (calls_->failed() || !channel.all_marked(mark_)) return agreed();
    calls_->set_agreed(signature_.sequence);
    return true;
  }
  const CallMark& mark() const { return mark_; }
  /// Throws an Error, and so does every later call of the group. @pre this is not an empty Call
  [[noreturn]] void fail(const std::string& why) const { calls_->fail(why); }
  int rank_in_job(std::size_t rank) const { return calls_->rank_in_job(rank); }
  cpu::Doorbell* doorbell() const { return calls_ ? calls_->doorbell() : nullptr; }

 private:
  Calls* calls_ = nullptr;
  Signature signature_;
  Place place_;
  CallMark mark_;
};

}  // namespace recombine::mpi
