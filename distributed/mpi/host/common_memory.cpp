#include "distributed/mpi/host/common_memory.hpp"

#include <algorithm>

#include <sys/mman.h>
#include <unistd.h>

#include "distributed/host/file_location.hpp"
#include "distributed/mpi/mpi_calls.hpp"
#include "kernels/file_descriptor.hpp"

namespace recombine::mpi {

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
  std::shared_ptr<CommonMemory> memory(new CommonMemory(index, static_cast<std::size_t>(bytes)));
  for (const FileLocation& at : all) {
    const FileDescriptor opened = open_file_at(at);
    memory->pieces_.push_back(opened.is_open() ? MappedFile(opened, bytes) : MappedFile());
  }
  int opened = std::ranges::count(memory->pieces_, nullptr, &MappedFile::data) == 0 ? 1 : 0;
  check(MPI_Allreduce(MPI_IN_PLACE, &opened, 1, MPI_INT, MPI_MIN, comm), "MPI_Allreduce");  // now files may be closed
  return opened == 1 ? memory : nullptr;
}

std::optional<std::int64_t> CommonMemory::offset_of(ConstVectorView data) const {
  const std::byte* const end = own() + bytes_;
  if (data.data < own() || data.data + data.bytes() > end) return std::nullopt;
  return data.data - own();
}

}  // namespace recombine::mpi
