#include "distributed/mpi/host/common_memory.hpp"

#include <algorithm>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "distributed/mpi/mpi_calls.hpp"
#include "kernels/file_descriptor.hpp"

namespace recombine::mpi {

namespace {

/// How other processes find a rank's file. Device and inode identify the file, because the process number may belong to
/// a different process in another PID namespace.
struct FileLocation {
  std::int64_t process = 0;
  std::int64_t number = -1;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
};

FileLocation location_of(const FileDescriptor& file) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return {};
  return {getpid(), file.get(), status.st_dev, status.st_ino};
}

FileDescriptor open_number(const std::string& process, std::int64_t number, int flags) {
  const std::string path = "/proc/" + process + "/fd/" + std::to_string(number);
  return FileDescriptor(number < 0 ? -1 : open(path.c_str(), flags | O_CLOEXEC));
}

std::byte* map(const FileDescriptor& file, std::size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

std::byte* map_file_of(const FileLocation& at, std::size_t bytes) {
  const FileDescriptor seen =
      open_number(std::to_string(at.process), at.number, O_PATH);  // no effect on the file, of any kind
  const FileLocation found = location_of(seen);
  if (seen.get() < 0 || found.device != at.device || found.inode != at.inode) return nullptr;
  const FileDescriptor file = open_number("self", seen.get(), O_RDWR);
  return file.get() < 0 ? nullptr : map(file, bytes);
}

}  // namespace

std::shared_ptr<CommonMemory> CommonMemory::make(MPI_Comm comm, std::int64_t bytes) {
  int rank = 0;
  int ranks = 0;
  check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  check(MPI_Comm_size(comm, &ranks), "MPI_Comm_size");
  const FileDescriptor file(memfd_create("recombine", MFD_CLOEXEC));
  const bool grown = file.get() >= 0 && ftruncate(file.get(), bytes) == 0;
  const FileLocation own = grown ? location_of(file) : FileLocation();
  std::vector<FileLocation> all(static_cast<std::size_t>(ranks));
  check(MPI_Allgather(&own, sizeof own, MPI_BYTE, all.data(), sizeof own, MPI_BYTE, comm), "MPI_Allgather");

  const auto index = static_cast<std::size_t>(rank);
  std::shared_ptr<CommonMemory> memory(new CommonMemory(index, all.size(), static_cast<std::size_t>(bytes)));
  for (std::size_t r = 0; r < all.size(); ++r) memory->pieces_[r] = map_file_of(all[r], memory->bytes_);
  int opened = std::ranges::count(memory->pieces_, nullptr) == 0 ? 1 : 0;
  check(MPI_Allreduce(MPI_IN_PLACE, &opened, 1, MPI_INT, MPI_MIN, comm), "MPI_Allreduce");  // now files may be closed
  return opened == 1 ? memory : nullptr;
}

CommonMemory::~CommonMemory() {
  for (std::byte* piece : pieces_) {
    if (piece != nullptr) munmap(piece, bytes_);
  }
}

std::optional<std::int64_t> CommonMemory::offset_of(ConstVectorView data) const {
  const std::byte* const end = own() + bytes_;
  if (data.data < own() || data.data + data.bytes() > end) return std::nullopt;
  return data.data - own();
}

}  // namespace recombine::mpi
