#include "src/report/standard_output.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "kernels/error.hpp"
#include "kernels/file_descriptor.hpp"

namespace recombine {

namespace {

/// The errno with which a write to `output` fails now; 0: none. Finds a closed pipe, /dev/full and a full disk without
/// writing a byte.
int failure_of(int output) {
  if (write(output, "", 0) < 0) return errno;
  struct stat file {};
  struct statvfs disk {};
  const bool on_disk = fstat(output, &file) == 0 && S_ISREG(file.st_mode) && fstatvfs(output, &disk) == 0;
  return on_disk && disk.f_blocks > 0 && disk.f_bfree == 0 ? ENOSPC : 0;
}

/// The errno of this process's failed output; 0: all was written.
int own_failure() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  const int reason = errno != 0 ? errno : failure_of(STDOUT_FILENO);
  return reason != 0 ? reason : EIO;
}

/// The errno of mpirun's own output; 0: none. mpirun forwards the output of ranks and reports no failure, so this rank
/// checks mpirun's output itself.
int failure_of_mpirun() {
  const std::string path = output_of_mpirun();
  const FileDescriptor output(path.empty() ? -1 : open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  return output.is_open() ? failure_of(output.get()) : 0;
}

}  // namespace

std::string output_of_mpirun() {
  return std::getenv("OMPI_COMM_WORLD_RANK") == nullptr ? "" : fmt::format("/proc/{}/fd/1", getppid());
}

bool shown_on_terminal() {
  const char* const name = std::getenv("TERM");
  const std::string_view terminal = name ? name : "";
  if (isatty(STDOUT_FILENO) == 0 || terminal.empty() || terminal == "dumb") return false;
  if (output_of_mpirun().empty()) return true;
  std::error_code unreadable;
  const auto target = std::filesystem::read_symlink(output_of_mpirun(), unreadable);
  return !unreadable && (target.string().starts_with("/dev/pts/") || target.string().starts_with("/dev/tty"));
}

void require_printed() {
  const int own = own_failure();
  const int reason = own != 0 ? own : failure_of_mpirun();
  if (reason != 0) throw Error(fmt::format("standard output: cannot write: {}", std::strerror(reason)));
}

void print_error(const std::string& line) {
  const std::string text = line + '\n';
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

void print_note(std::string_view program, const std::string& note) {
  if (!note.empty()) print_error(fmt::format("{}: {}", program, note));
}

}  // namespace recombine
