#include "src/data/gzip.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include <zlib.h>

#include "kernels/error.hpp"

namespace recombine {

std::string read_file(const std::string& path) {
  static constexpr std::size_t kPiece = std::size_t{4} << 20;
  std::error_code ignored;
  require_input(!std::filesystem::exists(path, ignored) || std::filesystem::is_regular_file(path, ignored),
                "{}: is no plain file; a file is right", path);  // a pipe might have no end
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  require_input(file != nullptr, "{}: cannot open it: {}", path, std::strerror(errno));
  std::string bytes;
  for (;;) {
    const std::size_t have = bytes.size();
    bytes.resize(have + kPiece);
    const int got = gzread(file.get(), bytes.data() + have, static_cast<unsigned>(kPiece));
    bytes.resize(have + static_cast<std::size_t>(std::max(got, 0)));
    int code = Z_OK;
    gzerror(file.get(), &code);
    // Z_BUF_ERROR: the file ended before its gzip stream did.
    require_input(got >= 0 && code != Z_BUF_ERROR, "{}: truncated or damaged gzip file; fetch it again", path);
    if (got == 0) break;
  }
  require_input(!bytes.empty(), "{}: is empty", path);
  return bytes;
}

}  // namespace recombine
