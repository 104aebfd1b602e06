#pragma once

#include <memory>

#include "distributed/session.hpp"

namespace recombine {

/// Memory that the ranks of one host share: held once per host, however many ranks there are (an MPI-3 shared
/// window). Every call blocks, is made by every rank of the
/// host, in the same order, and while no communication stream has work.
class HostShared {
 public:
  /// `bytes` counts on the first rank of each host only, and every host gives the same. @throws Error
  HostShared(const Session& session, std::int64_t bytes);
  ~HostShared();
  HostShared(const HostShared&) = delete;
  HostShared& operator=(const HostShared&) = delete;

  std::byte* data() const { return data_; }
  std::int64_t size() const { return size_; }

  /// Waits for all ranks of the host, and makes what each wrote visible to the others.
  void synchronize();

 private:
  struct Window;
  std::unique_ptr<Window> window_;
  std::byte* data_ = nullptr;
  std::int64_t size_ = 0;
};

}  // namespace recombine
