#include "distributed/mpi/host/calls.hpp"

#include <algorithm>

#include "kernels/error.hpp"

namespace recombine::mpi {

namespace {

std::string to_string(const Place& place) {
  if (place.memory == Place::kNowhere) return "outside common memory";
  return fmt::format("at byte {} of common memory {}", place.offset, place.memory);
}

}  // namespace

void Calls::show_now(const Signature& signature, const Place& place) {
  if (failed()) throw Error("an earlier collective of this group has failed: " + failure_);
  require(signature.sequence == agreed_, "an earlier collective of this group has failed");
  shown_ = signature.sequence + 1;
  Shown& next = boards_[rank_]->shown[shown_ % 2];
  next.signature = signature;
  next.place = place;
  next.number.store(shown_);
  doorbells_.ring();
}

bool Calls::compare() {
  if (failed()) throw Error(failure_);
  bool all = true;
  for (std::size_t r = 0; r < boards_.size(); ++r) {
    if (seen_[r] == shown_) continue;
    if (shown(r).number.load() != shown_) {
      all = false;  // rank r has not shown its call yet; compare the other ranks
      continue;
    }
    compare_with(r);
    seen_[r] = shown_;
  }
  if (!all) return false;
  agreed_ = shown_;
  return true;
}

void Calls::compare_with(std::size_t rank) {
  const Shown& own = shown(rank_);
  const Shown& other = shown(rank);
  if (!same_call(own.signature, other.signature)) {
    fail(describe_mismatch(call_of(std::min(rank, rank_)), call_of(std::max(rank, rank_)),
                           static_cast<int>(boards_.size())));
  }
  if (own.place == other.place) return;
  fail(fmt::format("{}: rank {} has its data {}, but rank {} {}; expected the same place on every rank",
                   own.signature.to_string(), ranks_[rank_], to_string(own.place), ranks_[rank],
                   to_string(other.place)));
}

void Calls::fail(const std::string& why) {
  failure_ = why;
  throw Error(why);
}

}  // namespace recombine::mpi
