#include "distributed/host_shared.hpp"

#include <optional>

#include <sys/mman.h>
#include <unistd.h>

#include "distributed/host/mapped_file.hpp"
#include "distributed/host_file.hpp"
#include "distributed/mpi/host_ranks.hpp"
#include "distributed/mpi/shared_window.hpp"
#include "kernels/error.hpp"

namespace recombine {

using mpi::check;

struct HostShared::State {
  mpi::HostRanks host;
  MappedFile mapped;
  std::optional<mpi::SharedWindow> window;  ///< if the file cannot be mapped on every rank
};

namespace {

/// A file in memory that can hold `bytes` bytes; not open if there can be none.
FileDescriptor make_memory_file(std::int64_t bytes) {
  FileDescriptor file(memfd_create("recombine-data", MFD_CLOEXEC));
  return file.is_open() && ftruncate(file.get(), bytes) == 0 ? std::move(file) : FileDescriptor();
}

void read_all(const FileDescriptor& file, std::byte* to, std::int64_t bytes) {
  for (std::int64_t at = 0; at < bytes;) {
    const ssize_t done = pread(file.get(), to + at, static_cast<std::size_t>(bytes - at), at);
    require(done > 0, "cannot read {} bytes of a file in memory", bytes);
    at += done;
  }
}

}  // namespace

HostShared::HostShared(const Session& session, std::int64_t bytes)
    : HostShared(session, session.local_rank() == 0 ? make_memory_file(bytes) : FileDescriptor(), bytes) {}

HostShared::HostShared(const Session& session, const FileDescriptor& file, std::int64_t bytes)
    : state_(std::make_unique<State>()), size_(bytes) {
  const mpi::HostRanks& host = state_->host;
  check(MPI_Bcast(&size_, 1, MPI_INT64_T, 0, host.comm()), "MPI_Bcast");
  const FileDescriptor opened = open_host_file(session, file);
  if (opened.is_open()) state_->mapped = MappedFile(opened, size_);
  if (host.all(state_->mapped.data() != nullptr)) {
    data_ = state_->mapped.data();
    return;
  }
  state_->mapped = {};
  data_ = state_->window.emplace(host.comm(), session.local_rank() == 0 ? size_ : 0).of(0).data();
  if (session.local_rank() == 0 && file.is_open()) read_all(file, data_, size_);
  synchronize();
}

HostShared::~HostShared() = default;

void HostShared::synchronize() {
  if (state_->window) state_->window->fence();
  check(MPI_Barrier(state_->host.comm()), "MPI_Barrier");
}

}  // namespace recombine
