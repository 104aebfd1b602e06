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
  /// @param host  a stream of StreamUse::host; all other calls of `group` must be enqueued on it too
  ComparedCalls(Communicator& group, std::unique_ptr<Stream> host) : group_(group), host_(std::move(host)) {}

  /// Starts the comparison of `call` on all ranks.
  void begin(const Signature& call);
  /// The same for an exchange. Each rank also tells every other rank what it sends to it and expects from it.
  void begin_exchange(const Signature& call, const ExchangePieces& pieces);
  /// True once all comparisons are done. Any thread may call it. @throws Error if the ranks' calls differ
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
