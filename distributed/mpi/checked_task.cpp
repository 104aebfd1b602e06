#include "distributed/mpi/checked_task.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>

#include "distributed/mpi/mpi_calls.hpp"
#include "distributed/ring.hpp"
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

/// The sender of a message also sends its signature; the receiver compares it with its own.
class MessageCheck final : public cpu::Task {
 public:
  struct Ends {
    std::optional<int> to, from;  ///< in the group
  };
  MessageCheck(Group& group, const Ends& ends, const Signature& call) : group_(group), ends_(ends), call_(call) {}

  State advance() override {
    require_no_failure(group_);
    if (ends_.from && !received_.started()) {
      received_.start("MPI_Irecv", [&](MPI_Request* request) {
        return MPI_Irecv(&sender_, sizeof sender_, MPI_BYTE, *ends_.from, kTag, group_.comm, request);
      });
    }
    if (ends_.to && !sent_.started()) {
      sent_.start("MPI_Isend", [&](MPI_Request* request) {
        return MPI_Isend(&call_, sizeof call_, MPI_BYTE, *ends_.to, kTag, group_.comm, request);
      });
    }
    const bool sent = !ends_.to || sent_.done();
    if (ends_.from && !received_.done()) return State::waiting;
    if (ends_.from && !same_message(sender_, call_)) {
      fail(group_, describe_mismatch_of_message({group_.ranks[static_cast<std::size_t>(*ends_.from)], sender_},
                                                {group_.ranks[static_cast<std::size_t>(group_.rank)], call_}));
    }
    return finished_or_waiting(sent);
  }

 private:
  Group& group_;
  Ends ends_;
  Signature call_;
  Signature sender_;
  Request sent_, received_;
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
  const auto message = [&](const MessageCheck::Ends& ends) {
    return std::make_unique<MessageCheck>(group_, ends, call);
  };
  if (call.operation == Operation::send) return message({.to = call.argument});
  if (call.operation == Operation::recv) return message({.from = call.argument});
  auto collective = std::make_unique<CollectiveCheck>(group_, call);
  if (call.operation != Operation::shift) return collective;
  const auto size = static_cast<int>(group_.ranks.size());
  return std::make_unique<BothChecks>(std::move(collective),
                                      message({.to = ring_rank(group_.rank, call.argument, size),
                                               .from = ring_rank(group_.rank, -call.argument, size)}));
}

std::unique_ptr<cpu::Task> checked_task(std::unique_ptr<cpu::Task> check, std::unique_ptr<cpu::Task> operation) {
  return std::make_unique<CheckedTask>(std::move(check), std::move(operation));
}

}  // namespace recombine::mpi
