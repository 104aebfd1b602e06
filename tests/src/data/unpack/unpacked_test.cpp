#include <lzma.h>
#include <zstd.h>

#include "src/data/unpack/unpacked_file.hpp"
#include "tests/src/data/data_fixture.hpp"

namespace recombine {
namespace {

const DataMemory kAny{.growth = Growth::any};

#ifdef __SANITIZE_ADDRESS__
constexpr double kShadow = 1.0 / 8;  // bytes that AddressSanitizer writes for each byte that is reserved
#else
constexpr double kShadow = 0;
#endif

/// The growth of this process's memory from the constructor to its peak.
class PeakMemory {
 public:
  PeakMemory() { std::ofstream("/proc/self/clear_refs") << "5"; }  // resets the kernel's record of the peak
  double bytes() const { return read("VmHWM:") - start_; }

 private:
  static double read(const std::string& key) {
    std::ifstream file("/proc/self/status");
    for (std::string word; file >> word;) {
      double kib = 0;
      if (word == key && file >> kib) return 1024 * kib;
    }
    return 0;
  }
  double start_ = read("VmRSS:");
};

std::string xz(const std::string& bytes) {
  std::string packed(lzma_stream_buffer_bound(bytes.size()), '\0');
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                    bytes.size(), reinterpret_cast<std::uint8_t*>(packed.data()), &size, packed.size()),
            LZMA_OK);
  return packed.substr(0, size);
}

/// With a checksum at the end.
std::string zstd(const std::string& bytes) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), bytes.data(), bytes.size()));
  ZSTD_freeCCtx(context);
  return packed;
}

class UnpackedTest : public DataTest {
 protected:
  std::string gzip(const std::string& bytes) const {
    write_gzip("part.gz", bytes);
    std::ifstream file(path("part.gz"), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  struct Format {
    std::string name;
    std::string (*pack)(const UnpackedTest& test, const std::string& bytes);
    std::size_t size_of_padding;  ///< zeros that may follow a member
  };
  const std::vector<Format> formats_ = {
      {"gzip", [](const UnpackedTest& test, const std::string& bytes) { return test.gzip(bytes); }, 512},
      {"xz", [](const UnpackedTest& /*test*/, const std::string& bytes) { return xz(bytes); }, 512},
      {"zstd", [](const UnpackedTest& /*test*/, const std::string& bytes) { return zstd(bytes); }, 0}};

  /// The content of a file with these bytes, read in pieces.
  std::string unpacked(const std::string& bytes, Growth growth = Growth::thousandfold, std::size_t piece = 1000) const {
    UnpackedFile file(write("some file", bytes), growth);
    std::string all, part(piece, '\0');
    for (std::size_t got = piece; got == piece;) {
      got = file.read(part);
      all += part.substr(0, got);
    }
    return all;
  }
  void expect_damaged(const std::string& bytes, const std::string& format) const {
    try {
      unpacked(bytes);
      FAIL() << format << " was accepted";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("some file: truncated or damaged " + format), std::string::npos)
          << error.what();
    }
  }
  /// A valid pair of files: images of 28 x 28, all zeros, compressed to about 1/1000, and as many labels.
  DataOptions write_blank_images(std::uint32_t count, const DataMemory& memory = {}) const {
    const std::string header = big_endian(0x803) + big_endian(count) + big_endian(28) + big_endian(28);
    const std::string zeros(784, '\0');
    gzFile file = gzopen(path("train-images-idx3-ubyte.gz").c_str(), "wb");
    gzwrite(file, header.data(), static_cast<unsigned>(header.size()));
    for (std::uint32_t i = 0; i < count; ++i) gzwrite(file, zeros.data(), 784);
    gzclose(file);
    write("train-labels-idx1-ubyte", labels(count));
    return {.data = folder_.string(), .memory = memory};
  }
  /// Numbers that repeat little.
  static std::string numbers(int lines) {
    std::string text;
    for (int i = 0; i < lines; ++i) text += fmt::format("{},{}\n", i, i * 7919 % 10007);
    return text;
  }
};

TEST_F(UnpackedTest, ReadsAllFormats) {
  const std::string text = numbers(60000);  // more than one piece of 256 KiB
  for (const std::size_t piece : {std::size_t{1}, std::size_t{999}, std::size_t{4} << 20}) {
    const std::string some = piece == 1 ? text.substr(0, 5000) : text;
    EXPECT_EQ(unpacked(some, Growth::thousandfold, piece), some);
    for (const Format& format : formats_) {
      EXPECT_EQ(unpacked(format.pack(*this, some), Growth::thousandfold, piece), some) << format.name;
    }
  }
}

TEST_F(UnpackedTest, ReadsAllMembersOfAFile) {
  for (const Format& format : formats_) {
    const std::string first = format.pack(*this, "a,y\n1,"), second = format.pack(*this, "2\n3,4\n");
    const std::string none = format.pack(*this, "");
    EXPECT_EQ(unpacked(first + none + second), "a,y\n1,2\n3,4\n") << format.name;
    if (format.size_of_padding > 0) {
      const std::string zeros(format.size_of_padding, '\0');
      EXPECT_EQ(unpacked(first + zeros + second + zeros), "a,y\n1,2\n3,4\n") << format.name;
    }
    expect_damaged(first + second + "garbage", format.name);
    expect_damaged(first + 'x' + second.substr(1), format.name);
    EXPECT_EQ(unpacked(none), "") << format.name;
  }
}

TEST_F(UnpackedTest, RefusesTruncatedAndDamagedFiles) {
  for (const Format& format : formats_) {
    const std::string text = numbers(300), packed = format.pack(*this, text);
    for (std::size_t bytes = 6; bytes < packed.size(); bytes += bytes < 40 || bytes + 40 > packed.size() ? 1 : 37) {
      expect_damaged(packed.substr(0, bytes), format.name);
    }
    std::string flipped = packed;
    flipped[packed.size() / 2] = static_cast<char>(flipped[packed.size() / 2] ^ 0x10);
    expect_damaged(flipped, format.name);
    flipped = packed;
    flipped[packed.size() - 3] = static_cast<char>(flipped[packed.size() - 3] ^ 1);
    expect_damaged(flipped, format.name);
  }
  const std::string part = gzip(numbers(3));
  EXPECT_EQ(unpacked(part.substr(0, 5) + 'x' + part.substr(6)), numbers(3)) << "a time stamp may be anything";
}

TEST_F(UnpackedTest, RefusesMoreThanAThousandTimesTheFile) {
  const std::string zeros(8 << 20, '0');
  for (const Format& format : formats_) {
    const std::string packed = format.pack(*this, zeros);
    EXPECT_EQ(unpacked(packed, Growth::any, 1 << 20), zeros) << format.name;
    try {
      unpacked(packed, Growth::thousandfold, 1 << 20);
      FAIL() << format.name << " was accepted";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("1000 times"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("--memory-limit"), std::string::npos) << error.what();
    }
  }
  expect_refused(write_blank_images(5000), {"train-images-idx3-ubyte.gz", "1000 times", "--memory-limit"});
  EXPECT_EQ(load_data(write_blank_images(5000, kAny)).data.train.rows, 5000);
}

TEST_F(UnpackedTest, RefusesWhatIsNoReadableFile) {
  const auto expect_error = [&](const std::string& name, const std::string& part) {
    try {
      UnpackedFile(path(name), Growth::any);
      FAIL() << name << " was accepted";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  write("empty", "");
  expect_error("empty", "is empty");
  expect_error("missing", "cannot be opened");
  expect_error(".", "expected a regular file");
}

TEST_F(UnpackedTest, RefusesTheSizeInAHeaderBeforeItAllocates) {
  const PeakMemory peak;
  write_gzip("train-images-idx3-ubyte.gz", big_endian(0x803) + big_endian(4000000) + big_endian(28) + big_endian(28));
  write("train-labels-idx1-ubyte", labels(4000000));
  expect_refused({.data = folder_.string()}, {"train-images-idx3-ubyte.gz", "1000 times"});
  expect_refused({.data = folder_.string(), .memory = {.host_bytes = 1e9, .growth = Growth::any}},
                 {"train-images-idx3-ubyte.gz", "its memory allows 954 MiB"});
  expect_refused({.data = folder_.string(), .memory = kAny}, {"4000000 items", "holds 0 bytes"});
  EXPECT_LT(peak.bytes(), 100e6 + kShadow * 4e6 * 28 * 28);  // space is reserved for the items, but not touched
}

TEST_F(UnpackedTest, RefusesMoreThanTheHostsMemory) {
  const DataMemory little{.host_bytes = 3 << 20};
  expect_refused({.data = "synthetic:100000,4,2", .memory = little},
                 {"--data synthetic:100000,4,2", "its memory allows 3 MiB"});
  EXPECT_EQ(load_data({.data = "synthetic:1000,4,2", .memory = little}).data.train.rows, 1000);
  expect_refused(write_blank_images(5000, {.host_bytes = 3 << 20, .growth = Growth::any}),
                 {"train-images-idx3-ubyte.gz", "at least 7840000 bytes (7.48 MiB)"});
}

TEST_F(UnpackedTest, CompressedDataNeedMemoryForTheTableOnly) {
  const DataOptions images = write_blank_images(100000, kAny);  // 78 MB of pixels
  const PeakMemory peak;
  const DataSet loaded = load_data(images);
  EXPECT_EQ(loaded.data.train.pixels.size(), 78400000U);
  EXPECT_LT(peak.bytes(), 1.5 * 78400000);
}

}  // namespace
}  // namespace recombine
