#include "src/nn/checkpoint/safetensors_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include "distributed/io/file_kind.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::int64_t kMostHeader = 100'000'000;  // bytes, by the format's definition

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& option, const std::string& path)
    : name_("--" + option + " " + path) {
  require_regular(name_, path);
  file_ = FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  require_input(file_.is_open(), "{}: cannot open it: {}; expected a safetensors file", name_, std::strerror(errno));
  struct stat status {};
  require(fstat(file_.get(), &status) == 0, "{}: fstat: {}", name_, std::strerror(errno));
  size_ = status.st_size;
  read_header();
}

void SafetensorsFile::read_at(std::int64_t offset, void* to, std::int64_t size) const {
  auto* at = static_cast<std::byte*>(to);
  while (size > 0) {
    const ssize_t got = pread(file_.get(), at, static_cast<std::size_t>(size), offset);
    if (got < 0 && errno == EINTR) continue;
    require_whole(got >= 0, "{}: cannot read it: {}; expected a whole file", name_, std::strerror(errno));
    require_whole(got > 0, "{}: ends at byte {}: it was cut short", name_, offset);
    at += got, offset += got, size -= got;
  }
}

void SafetensorsFile::read_header() {
  static constexpr std::int64_t kLength = 8;
  require_whole(size_ >= kLength, "{}: has {} bytes; expected a safetensors file", name_, size_);
  std::array<unsigned char, kLength> bytes{};
  read_at(0, bytes.data(), kLength);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) length |= std::uint64_t{bytes[i]} << (8 * i);
  const std::int64_t most = std::min(size_ - kLength, kMostHeader);
  require_whole(length <= static_cast<std::uint64_t>(most),
                "{}: is no safetensors file, or was cut short: its first 8 bytes announce a header of {} bytes; "
                "expected at most {}",
                name_, length, most);
  header_text_.resize(length);
  read_at(kLength, header_text_.data(), static_cast<std::int64_t>(length));
  data_ = kLength + static_cast<std::int64_t>(length);
  header_ = parse_safetensors_header(name_, header_text_, size_ - data_);
}

}  // namespace recombine
