#include "distributed/mpi/mpi_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "distributed/mpi/mpi_calls.hpp"
#include "kernels/error.hpp"
#include "kernels/file_descriptor.hpp"

namespace recombine::mpi {

namespace {

/// The number of bytes that were read; 0 if the call failed.
std::int64_t moved_bytes(int code, const MPI_Status& status) {
  int bytes = 0;
  if (code != MPI_SUCCESS || MPI_Get_count(&status, MPI_BYTE, &bytes) != MPI_SUCCESS) return 0;
  return std::max(bytes, 0);
}

/// Reads all runs in one call, through a file view that contains only the runs (4 to 17 % faster than a call for each
/// run). Then it resets the view.
int read_view(MPI_File file, std::int64_t offset, int runs, std::int64_t bytes, std::int64_t stride, std::byte* to,
              MPI_Status& status) {
  MPI_Datatype run = MPI_DATATYPE_NULL;
  check(MPI_Type_create_hvector(runs, static_cast<int>(bytes), stride, MPI_BYTE, &run), "MPI_Type_create_hvector");
  check(MPI_Type_commit(&run), "MPI_Type_commit");
  int code = MPI_File_set_view(file, offset, MPI_BYTE, run, "native", MPI_INFO_NULL);
  if (code == MPI_SUCCESS) {
    code = MPI_File_read_at(file, 0, to, static_cast<int>(runs * bytes), MPI_BYTE, &status);
  }
  check(MPI_File_set_view(file, 0, MPI_BYTE, MPI_BYTE, "native", MPI_INFO_NULL), "MPI_File_set_view");
  check(MPI_Type_free(&run), "MPI_Type_free");
  return code;
}

/// True if this process can open the file and then has one more free file descriptor: MPI-IO needs two. If false, errno
/// has the reason.
bool can_open(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.is_open() && FileDescriptor(dup(file.get())).is_open();
}

}  // namespace

File::File(std::string name, const std::string& path, std::int64_t largest_piece)
    : name_(std::move(name)), largest_piece_(largest_piece) {
  const int code = MPI_File_open(MPI_COMM_SELF, path.c_str(), MPI_MODE_RDONLY, MPI_INFO_NULL, &file_);
  errno = 0;  // Open MPI's internal searches have set it
  if (code == MPI_SUCCESS) return;
  if (!can_open(path)) {
    const bool too_many = errno == EMFILE || errno == ENFILE;
    throw Error(fmt::format("{}: cannot open the file: {}{}", name_, std::strerror(errno),
                            too_many ? "; expected a higher limit of open files (ulimit -n)" : ""));
  }
  fail("MPI-IO cannot open the file; expected that it can make a small file in the temporary folder (see ulimit -f)",
       code);
}

File::~File() { MPI_File_close(&file_); }

void File::fail(const char* what, int code) const {
  const int reason = errno;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw Error(fmt::format("{}: {}: {}", name_, what, reason != 0 ? std::strerror(reason) : text.data()));
}

void File::read(std::int64_t offset, std::byte* to, std::int64_t bytes) const {
  for (std::int64_t done = 0; done < bytes;) {
    MPI_Status status{};
    errno = 0;
    const auto piece = static_cast<int>(std::min(bytes - done, largest_piece_));
    const int code = MPI_File_read_at(file_, offset + done, to + done, piece, MPI_BYTE, &status);
    const std::int64_t moved = moved_bytes(code, status);
    if (moved == 0 && code == MPI_SUCCESS && errno == 0) {
      throw Error(fmt::format("{}: ends at byte {}: it was cut short while it was read", name_, offset + done));
    }
    if (moved == 0) fail("cannot be read", code);
    done += moved;
  }
}

void File::read_strided(std::int64_t offset, std::int64_t runs, std::int64_t bytes, std::int64_t stride,
                        std::byte* to) const {
  if (runs == 0 || bytes == 0) return;
  const std::int64_t most = std::max<std::int64_t>(1, largest_piece_ / bytes);
  for (std::int64_t done = 0; done < runs; done += most) {
    const auto some = static_cast<int>(std::min(most, runs - done));
    const std::int64_t start = offset + done * stride;
    std::byte* const at = to + done * bytes;
    MPI_Status status{};
    if (bytes <= largest_piece_) {
      const int code = read_view(file_, start, some, bytes, stride, at, status);
      if (moved_bytes(code, status) == some * bytes) continue;
    }
    // Read run by run if a run is too long for MPI's count, and after an error, to find the run that has it.
    for (int run = 0; run < some; ++run) read(start + run * stride, at + run * bytes, bytes);
  }
}

}  // namespace recombine::mpi
