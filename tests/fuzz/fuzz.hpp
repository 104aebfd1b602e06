#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

/// What a harness defines: one input, as libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace recombine::fuzz {

/// Aborts with the reason unless `ok`.
void insist(bool ok, std::string_view reason);

/// Runs a parser, which may throw an InputError and nothing else; its message must be readable. True if it threw none.
bool accepts(const std::function<void()>& parse);

/// A file in memory with a path that programs can open.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void write(std::string_view bytes) const;  ///< replaces what it held
  std::string path() const;

 private:
  int descriptor_;
};

/// As gzip packs it, in as many members as there are pieces of `piece` bytes.
std::string gzip(std::string_view bytes, std::size_t piece);

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace recombine::fuzz
