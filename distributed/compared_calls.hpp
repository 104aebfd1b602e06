#pragma once

#include <memory>
#include <mutex>

#include "distributed/communicator.hpp"
#include "distributed/exchange_pieces.hpp"
#include "distributed/observe/signature.hpp"

namespace recombine {

/// Compares the calls of a group's ranks on the host while something else, such as a GPU, moves their data.
class ComparedCalls {
 public:
  /// @param host  a stream of StreamUse::host; calls of `group` that others enqueue must be on it too
  ComparedCalls(Communicator& group, std::unique_ptr<Stream> host) : group_(group), host_(std::move(host)) {}

  /// Starts the comparison of `call` on all ranks.
  void begin(const Signature& call);
  /// The same for an exchange. Each pair of ranks also exchanges what each sends to the other and expects from it.
  void begin_exchange(const Signature& call, const ExchangePieces& pieces);
  /// True once all comparisons are done. Any thread may call it. @throws Error if a rank makes another call
  bool all_equal();

  Stream& host() { return *host_; }

 private:
  void record();

  Communicator& group_;
  std::unique_ptr<Stream> host_;
  std::mutex mutex_;
  Event last_;  ///< the end of the last comparison
};

}  // namespace recombine
