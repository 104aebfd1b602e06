#include "distributed/mpi/checked_task.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "distributed/mpi/mpi_calls.hpp"
#include "kernels/error.hpp"

namespace recombine::mpi {

namespace {

constexpr int kTag = 1;
constexpr double kPatience = 1;  // seconds: a failed MPI call waits for the check, which may give the reason

/// One nonblocking call of MPI.
class Request {
 public:
  template <class Call>
  void start(const char* name, const Call& call) {
    check(call(&request_), name);
    started_ = true;
  }
  bool started() const { return started_; }
  bool done() {
    int flag = 0;
    check(MPI_Test(&request_, &flag, MPI_STATUS_IGNORE), "MPI_Test");
    return flag != 0;
  }

 private:
  MPI_Request request_ = MPI_REQUEST_NULL;
  bool started_ = false;
};

using Group = CallChecker::Group;

[[noreturn]] void fail(Group& group, const std::string& why) {
  group.failure = why;
  throw Error(why);
}

void require_no_failure(const Group& group) {
  if (!group.failure.empty()) throw Error("an earlier collective of this group has failed: " + group.failure);
}

/// All ranks compare a hash of the call; only if hashes differ, all ranks exchange their signatures.
class CollectiveCheck final : public cpu::Task {
 public:
  CollectiveCheck(Group& group, const Signature& call)
      : group_(group), call_(call), largest_{call.hash(), ~call.hash()} {}

  State advance() override {
    if (!hashes_.started()) {
      require_no_failure(group_);
      hashes_.start("MPI_Iallreduce", [&](MPI_Request* request) {
        return MPI_Iallreduce(MPI_IN_PLACE, largest_.data(), 2, MPI_UINT64_T, MPI_MAX, group_.comm, request);
      });
    }
    if (!compared_) {
      if (!hashes_.done()) return State::waiting;
      compared_ = true;
    }
    if (largest_[0] == ~largest_[1]) return State::finished;
    if (!signatures_.started()) {
      calls_.resize(group_.ranks.size());
      signatures_.start("MPI_Iallgather", [&](MPI_Request* request) {
        return MPI_Iallgather(&call_, sizeof call_, MPI_BYTE, calls_.data(), sizeof call_, MPI_BYTE, group_.comm,
                              request);
      });
    }
    if (!signatures_.done()) return State::waiting;
    fail_with_signatures();
  }

 private:
  [[noreturn]] void fail_with_signatures() {
    const auto own = static_cast<std::size_t>(group_.rank);
    const auto other = std::ranges::find_if(calls_, [&](const Signature& call) { return !same_call(call, call_); });
    require(other != calls_.end(), "hashes of calls differ, but the calls do not");
    const auto index = static_cast<std::size_t>(other - calls_.begin());
    const auto [first, second] = std::minmax(own, index);
    fail(group_, describe_mismatch({group_.ranks[first], calls_[first]}, {group_.ranks[second], calls_[second]},
                                   static_cast<int>(group_.ranks.size())));
  }

  Group& group_;
  Signature call_;
  std::array<std::uint64_t, 2> largest_;  ///< hash and its complement: their maxima give the largest and smallest hash
  Request hashes_, signatures_;
  bool compared_ = false;
  std::vector<Signature> calls_;
};

/// Each pair of ranks exchanges how much each sends to the other and expects from it. This uses messages instead of a
/// collective: a rank that makes a different call does not take part, but must have the same order of collectives.
class TrafficCheck final : public cpu::Task {
 public:
  TrafficCheck(Group& group, std::vector<PeerTraffic> traffic)
      : group_(group), own_(std::move(traffic)), theirs_(own_.size()) {}

  State advance() override {
    require_no_failure(group_);
    if (!messages_) messages_ = request_task([this](auto& requests) { post(requests); });
    if (messages_->advance() != State::finished) return State::waiting;
    for (std::size_t r = 0; r < own_.size(); ++r) {
      if (r == rank()) continue;
      const std::string why =
          describe_mismatch(RankTraffic{group_.ranks[rank()], own_[r]}, RankTraffic{group_.ranks[r], theirs_[r]});
      if (!why.empty()) fail(group_, why);
    }
    return State::finished;
  }

 private:
  std::size_t rank() const { return static_cast<std::size_t>(group_.rank); }
  void post(std::vector<MPI_Request>& requests) {
    static constexpr int kBytes = sizeof(PeerTraffic);
    for (std::size_t i = 1; i < own_.size(); ++i) {
      const std::size_t to = (rank() + i) % own_.size();
      const std::size_t from = (rank() + own_.size() - i) % own_.size();
      mpi::check(MPI_Irecv(&theirs_[from], kBytes, MPI_BYTE, static_cast<int>(from), kTag, group_.comm,
                           &requests.emplace_back()),
                 "MPI_Irecv");
      mpi::check(
          MPI_Isend(&own_[to], kBytes, MPI_BYTE, static_cast<int>(to), kTag, group_.comm, &requests.emplace_back()),
          "MPI_Isend");
    }
  }

  Group& group_;
  std::vector<PeerTraffic> own_;
  std::vector<PeerTraffic> theirs_;
  std::unique_ptr<cpu::Task> messages_;
};

/// Runs two checks at the same time.
class BothChecks final : public cpu::Task {
 public:
  BothChecks(std::unique_ptr<cpu::Task> first, std::unique_ptr<cpu::Task> second)
      : checks_{std::move(first), std::move(second)} {}
  State advance() override {
    for (auto& check : checks_) {
      if (check && check->advance() == State::finished) check.reset();
    }
    return finished_or_waiting(std::ranges::all_of(checks_, [](const auto& check) { return check == nullptr; }));
  }

 private:
  std::array<std::unique_ptr<cpu::Task>, 2> checks_;
};

class CheckedTask final : public cpu::Task {
 public:
  CheckedTask(std::unique_ptr<cpu::Task> check, std::unique_ptr<cpu::Task> operation)
      : check_(std::move(check)), operation_(std::move(operation)) {}

  State advance() override {
    if (check_ && check_->advance() == State::finished) check_.reset();
    auto state = State::waiting;
    if (operation_ && !failure_) state = advance_operation();
    if (failure_ && (!check_ || MPI_Wtime() - failed_at_ > kPatience)) std::rethrow_exception(failure_);
    return state == State::ready ? state : finished_or_waiting(!check_ && !operation_);
  }

 private:
  State advance_operation() {
    try {
      const State state = operation_->advance();
      if (state == State::finished) operation_.reset();
      return state;
    } catch (...) {
      failure_ = std::current_exception();
      failed_at_ = MPI_Wtime();
      return State::waiting;
    }
  }

  std::unique_ptr<cpu::Task> check_;
  std::unique_ptr<cpu::Task> operation_;
  std::exception_ptr failure_;
  double failed_at_ = 0;
};

}  // namespace

CallChecker::CallChecker(MPI_Comm comm) : group_{.ranks = ranks_in_job(comm)} {
  mpi::check(MPI_Comm_rank(comm, &group_.rank), "MPI_Comm_rank");
  mpi::check(MPI_Comm_dup(comm, &group_.comm), "MPI_Comm_dup");
}

CallChecker::~CallChecker() { MPI_Comm_free(&group_.comm); }

std::unique_ptr<cpu::Task> CallChecker::check(const Signature& call) {
  return std::make_unique<CollectiveCheck>(group_, call);
}

std::unique_ptr<cpu::Task> CallChecker::check_exchange(const Signature& call, std::vector<PeerTraffic> traffic) {
  return std::make_unique<BothChecks>(check(call), std::make_unique<TrafficCheck>(group_, std::move(traffic)));
}

std::unique_ptr<cpu::Task> checked_task(std::unique_ptr<cpu::Task> check, std::unique_ptr<cpu::Task> operation) {
  return std::make_unique<CheckedTask>(std::move(check), std::move(operation));
}

}  // namespace recombine::mpi
