#pragma once

#include <memory>

#include "distributed/session.hpp"
#include "kernels/file_descriptor.hpp"

namespace recombine {

/// Memory that the ranks of one host share. It exists once per host, for any number of ranks: a file in memory, which
/// all ranks map. Not an MPI window, because MPI keeps windows in /dev/shm, which is small in containers. If the ranks
/// cannot open each other's files, it is a window. Every call blocks. Every rank of the host makes the same calls in the
/// same order, while no communication stream has work.
class HostShared {
 public:
  /// Only the value of `bytes` on the first rank of each host is used. @throws Error
  HostShared(const Session& session, std::int64_t bytes);
  /// Shares the first `bytes` bytes of a file in memory, or a copy of them if the ranks cannot open each other's files.
  /// Only the values on the first rank of each host are used. @throws Error
  HostShared(const Session& session, const FileDescriptor& file, std::int64_t bytes);
  ~HostShared();
  HostShared(const HostShared&) = delete;
  HostShared& operator=(const HostShared&) = delete;

  std::byte* data() const { return data_; }
  std::int64_t size() const { return size_; }

  /// Waits for all ranks of the host, and makes the writes of each rank visible to the others.
  void synchronize();

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::byte* data_ = nullptr;
  std::int64_t size_ = 0;
};

}  // namespace recombine
