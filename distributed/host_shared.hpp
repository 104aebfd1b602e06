#pragma once

#include <memory>

#include "distributed/session.hpp"

namespace recombine {

/// Memory that the ranks of one host share. It exists once per host, for any number of ranks (an MPI-3 shared
/// window). Every call blocks. Every rank of the host makes the same calls in the same order, while no communication
/// stream has work.
class HostShared {
 public:
  /// Only the value of `bytes` on the first rank of each host is used. It must be the same on all hosts. @throws Error
  HostShared(const Session& session, std::int64_t bytes);
  ~HostShared();
  HostShared(const HostShared&) = delete;
  HostShared& operator=(const HostShared&) = delete;

  std::byte* data() const { return data_; }
  std::int64_t size() const { return size_; }

  /// Waits for all ranks of the host, and makes the writes of each rank visible to the others.
  void synchronize();

 private:
  struct Window;
  std::unique_ptr<Window> window_;
  std::byte* data_ = nullptr;
  std::int64_t size_ = 0;
};

}  // namespace recombine
