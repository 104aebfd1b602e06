#include "src/data/text/text_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "distributed/io/file_kind.hpp"
#include "kernels/error.hpp"

namespace recombine {

TextFile::TextFile(const std::string& path, DataBudget& /*budget*/) : name_(path) {
  require_regular(path, path);
  file_ = FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  require_input(file_.is_open(), "{}: cannot be opened: {}; expected a readable file", path, std::strerror(errno));
  struct stat status {};
  fstat(file_.get(), &status);
  bytes_ = status.st_size;
  require_input(bytes_ > 0, "{}: is empty; expected data", path);
}

std::size_t TextFile::read(std::int64_t offset, std::span<char> to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t got =
        pread(file_.get(), to.data() + done, to.size() - done, offset + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    require_input(got >= 0, "{}: cannot read it: {}", name_, std::strerror(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace recombine
