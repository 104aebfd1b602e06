#include "src/report/standard_output.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "distributed/file_descriptor.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

/// Why nothing more can be written there; 0: it can. What a full disk and /dev/full have in common with nothing else.
int failure_of(int output) {
  if (write(output, "", 0) < 0) return errno;
  struct stat file {};
  struct statvfs disk {};
  const bool on_disk = fstat(output, &file) == 0 && S_ISREG(file.st_mode) && fstatvfs(output, &disk) == 0;
  return on_disk && disk.f_blocks > 0 && disk.f_bfree == 0 ? ENOSPC : 0;
}

/// Why this process could not write all; 0: it could.
int own_failure() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  const int reason = errno != 0 ? errno : failure_of(STDOUT_FILENO);
  return reason != 0 ? reason : EIO;
}

/// mpirun passes on what ranks print, and keeps to itself that it cannot: a rank has to look.
int failure_of_mpirun() {
  const std::string path = output_of_mpirun();
  const FileDescriptor output(path.empty() ? -1 : open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  return output.is_open() ? failure_of(output.get()) : 0;
}

}  // namespace

std::string output_of_mpirun() {
  return std::getenv("OMPI_COMM_WORLD_RANK") == nullptr ? "" : fmt::format("/proc/{}/fd/1", getppid());
}

void require_printed() {
  const int own = own_failure();
  const int reason = own != 0 ? own : failure_of_mpirun();
  if (reason != 0) throw Error(fmt::format("standard output: cannot be written: {}", std::strerror(reason)));
}

void print_note(std::string_view program, const std::string& note) {
  if (!note.empty()) fmt::print(stderr, "{}: {}\n", program, note);
}

}  // namespace recombine
