#include "src/data/unpack/unpacker.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr int kMostMemoryBits = 28;  // 256 MiB
constexpr std::uint64_t kMostMemory = std::uint64_t{1} << kMostMemoryBits;

/// Skips zero bytes after a member: tape drives pad blocks of gzip with them, and xz allows them.
void skip_zeros(std::span<const char>& from) {
  const auto end = std::ranges::find_if(from, [](char c) { return c != 0; });
  from = from.subspan(static_cast<std::size_t>(end - from.begin()));
}

class GzipUnpacker final : public Unpacker {
 public:
  static constexpr std::string_view kMagic = "\x1F\x8B";

  GzipUnpacker() {
    static constexpr int kGzip = 15 + 16;  // window of 2^15 bytes (the largest); + 16: gzip's header and checksum
    require(inflateInit2(&stream_, kGzip) == Z_OK, "inflateInit2 failed");
  }
  ~GzipUnpacker() override { inflateEnd(&stream_); }
  GzipUnpacker(const GzipUnpacker&) = delete;
  GzipUnpacker& operator=(const GzipUnpacker&) = delete;

  State unpack(std::span<const char>& from, std::span<char>& to) override {
    if (between_) {
      skip_zeros(from);
      if (from.empty()) return State::between;
      inflateReset(&stream_);
      between_ = false;
    }
    static constexpr std::size_t kMost = std::numeric_limits<unsigned>::max();
    const auto in = static_cast<unsigned>(std::min(from.size(), kMost));
    const auto out = static_cast<unsigned>(std::min(to.size(), kMost));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
    stream_.avail_in = in;
    stream_.next_out = reinterpret_cast<Bytef*>(to.data());
    stream_.avail_out = out;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    from = from.subspan(in - stream_.avail_in);
    to = to.subspan(out - stream_.avail_out);
    between_ = code == Z_STREAM_END;
    if (between_) return State::between;
    return code == Z_OK || code == Z_BUF_ERROR ? State::more : State::damaged;
  }
  std::string_view format() const override { return "gzip"; }

 private:
  z_stream stream_{};
  bool between_ = true;
};

class XzUnpacker final : public Unpacker {
 public:
  static constexpr std::string_view kMagic{
      "\xFD"
      "7zXZ\0",
      6};

  XzUnpacker() = default;
  ~XzUnpacker() override { lzma_end(&stream_); }
  XzUnpacker(const XzUnpacker&) = delete;
  XzUnpacker& operator=(const XzUnpacker&) = delete;

  State unpack(std::span<const char>& from, std::span<char>& to) override {
    if (between_) {
      skip_zeros(from);
      if (from.empty()) return State::between;
      require(lzma_stream_decoder(&stream_, kMostMemory, 0) == LZMA_OK, "lzma_stream_decoder failed");
      between_ = false;
    }
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(from.data());
    stream_.avail_in = from.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(to.data());
    stream_.avail_out = to.size();
    const lzma_ret code = lzma_code(&stream_, LZMA_RUN);
    from = from.last(stream_.avail_in);
    to = to.last(stream_.avail_out);
    between_ = code == LZMA_STREAM_END;
    if (between_) return State::between;
    if (code == LZMA_MEMLIMIT_ERROR) return State::too_wide;
    return code == LZMA_OK || code == LZMA_BUF_ERROR ? State::more : State::damaged;
  }
  std::string_view format() const override { return "xz"; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool between_ = true;
};

class ZstdUnpacker final : public Unpacker {
 public:
  static constexpr std::string_view kMagic = "\x28\xB5\x2F\xFD";

  ZstdUnpacker() : stream_(ZSTD_createDCtx()) {
    require(stream_ != nullptr, "ZSTD_createDCtx failed");
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kMostMemoryBits);
  }

  State unpack(std::span<const char>& from, std::span<char>& to) override {
    if (between_ && from.empty()) return State::between;
    ZSTD_inBuffer in{from.data(), from.size(), 0};
    ZSTD_outBuffer out{to.data(), to.size(), 0};
    const std::size_t left = ZSTD_decompressStream(stream_.get(), &out, &in);
    from = from.subspan(in.pos);
    to = to.subspan(out.pos);
    if (ZSTD_isError(left) != 0) {
      return ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge ? State::too_wide : State::damaged;
    }
    between_ = left == 0;
    return between_ ? State::between : State::more;
  }
  std::string_view format() const override { return "zstd"; }

 private:
  struct End {
    void operator()(ZSTD_DCtx* stream) const { ZSTD_freeDCtx(stream); }
  };
  std::unique_ptr<ZSTD_DCtx, End> stream_;
  bool between_ = true;
};

}  // namespace

std::unique_ptr<Unpacker> make_unpacker(std::string_view start) {
  if (start.starts_with(GzipUnpacker::kMagic)) return std::make_unique<GzipUnpacker>();
  if (start.starts_with(XzUnpacker::kMagic)) return std::make_unique<XzUnpacker>();
  if (start.starts_with(ZstdUnpacker::kMagic)) return std::make_unique<ZstdUnpacker>();
  return nullptr;
}

}  // namespace recombine
