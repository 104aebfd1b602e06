#include "tests/fuzz/fuzz.hpp"

#include <cstdio>
#include <cstdlib>

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "kernels/error.hpp"

namespace recombine::fuzz {

void insist(bool ok, std::string_view reason) {
  if (ok) return;
  fmt::print(stderr, "fuzz: {}\n", reason);
  std::abort();
}

bool accepts(const std::function<void()>& parse) {
  static constexpr std::size_t kLongest = std::size_t{4} << 20;
  try {
    parse();
    return true;
  } catch (const InputError& error) {
    const std::string_view message = error.what();
    insist(!message.empty() && message.size() < kLongest, "the message is empty or too long");
  }
  return false;
}

MemoryFile::MemoryFile() : descriptor_(memfd_create("fuzz", 0)) { insist(descriptor_ >= 0, "memfd_create failed"); }
MemoryFile::~MemoryFile() { close(descriptor_); }

void MemoryFile::write(std::string_view bytes) const {
  const bool written = ftruncate(descriptor_, 0) == 0 &&
                       pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
  insist(written, "cannot write a file in memory");
}

std::string MemoryFile::path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

std::string gzip(std::string_view bytes, std::size_t piece) {
  std::string packed;
  for (std::size_t begin = 0; begin == 0 || begin < bytes.size(); begin += piece) {
    const std::string_view part = bytes.substr(begin, piece);
    z_stream stream{};
    insist(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "deflateInit2 failed");
    const std::size_t have = packed.size();
    packed.resize(have + deflateBound(&stream, part.size()));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    stream.avail_in = static_cast<unsigned>(part.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data() + have);
    stream.avail_out = static_cast<unsigned>(packed.size() - have);
    insist(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflate failed");
    packed.resize(packed.size() - stream.avail_out);
    deflateEnd(&stream);
  }
  return packed;
}

}  // namespace recombine::fuzz
