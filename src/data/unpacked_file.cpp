#include "src/data/unpacked_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

#include <zlib.h>

#include "distributed/io/file_kind.hpp"
#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr std::string_view kMagic = "\x1F\x8B";
constexpr std::int64_t kMostGrowth = 1000;  // deflate reaches about 1,030 at most, on bytes that are all the same
constexpr int kGzip = 15 + 16;              // window of 2^15 bytes (the largest); + 16: gzip's header and checksum

}  // namespace

void UnpackedFile::EndUnpacking::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

UnpackedFile::UnpackedFile(const std::string& path, Growth growth) : path_(path), growth_(growth) {
  require_regular(path, path);
  file_.reset(std::fopen(path.c_str(), "rb"));
  require_input(file_ != nullptr, "{}: cannot be opened: {}; expected a readable file", path, std::strerror(errno));
  std::setbuf(file_.get(), nullptr);  // reads are large: a buffer would only copy
  std::error_code ignored;
  file_bytes_ = static_cast<std::int64_t>(std::filesystem::file_size(path, ignored));
  std::array<char, kMagic.size()> start{};
  const std::size_t got = read_plain(start);
  require_input(got > 0, "{}: is empty; expected data", path);
  std::rewind(file_.get());
  if (std::string_view(start.data(), got) != kMagic) return;
  piece_.resize(kPiece);
  unpacker_.reset(new z_stream_s{});
  require(inflateInit2(unpacker_.get(), kGzip) == Z_OK, "inflateInit2 failed");
}

UnpackedFile::~UnpackedFile() = default;

std::size_t UnpackedFile::read(std::span<char> to) {
  const std::size_t got = packed() ? unpack(to) : read_plain(to);
  given_ += static_cast<std::int64_t>(got);
  require_allowed(given_);
  return got;
}

void UnpackedFile::require_allowed(std::int64_t bytes) const {
  require_input(!packed() || growth_ == Growth::any || bytes <= kMostGrowth * file_bytes_,
                "{}: unpacks to more than {} times its {} bytes; expected less, or the option --memory-limit", path_,
                kMostGrowth, file_bytes_);
}

std::size_t UnpackedFile::read_plain(std::span<char> to) {
  const std::size_t got = std::fread(to.data(), 1, to.size(), file_.get());
  require_input(std::ferror(file_.get()) == 0, "{}: cannot read it: {}", path_, std::strerror(errno));
  return got;
}

bool UnpackedFile::refill() {
  if (unpacker_->avail_in > 0) return true;
  unpacker_->avail_in = static_cast<unsigned>(read_plain(piece_));
  unpacker_->next_in = reinterpret_cast<Bytef*>(piece_.data());
  return unpacker_->avail_in > 0;
}

/// Skips zero bytes after a gzip member (tape drives pad blocks with them). False if no other member follows.
bool UnpackedFile::begin_member() {
  while (refill() && *unpacker_->next_in == 0) ++unpacker_->next_in, --unpacker_->avail_in;
  if (!refill()) return false;
  inflateReset(unpacker_.get());
  return true;
}

std::size_t UnpackedFile::unpack(std::span<char> to) {
  static constexpr const char* kDamaged = "{}: truncated or damaged gzip file; expected a whole one: download it again";
  std::size_t done = 0;
  while (done < to.size() && at_ != At::end) {
    if (at_ == At::between) {
      at_ = begin_member() ? At::member : At::end;
      continue;
    }
    require_input(refill(), kDamaged, path_);
    const auto room = static_cast<unsigned>(std::min(to.size() - done, kPiece));
    unpacker_->next_out = reinterpret_cast<Bytef*>(to.data() + done);
    unpacker_->avail_out = room;
    const int code = inflate(unpacker_.get(), Z_NO_FLUSH);
    done += room - unpacker_->avail_out;
    if (code == Z_STREAM_END) at_ = At::between;
    require_input(code == Z_OK || code == Z_STREAM_END, kDamaged, path_);
  }
  return done;
}

}  // namespace recombine
