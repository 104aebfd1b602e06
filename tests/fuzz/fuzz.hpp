#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

/// Each harness defines this function: it runs one input. libFuzzer requires the name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace recombine::fuzz {

/// Aborts with the reason unless `ok`.
void insist(bool ok, std::string_view reason);

/// Runs a parser. It may throw only an InputError with a readable message. True if it throws nothing.
bool accepts(const std::function<void()>& parse);

/// A file in memory; programs can open it by its path.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void write(std::string_view bytes) const;  ///< replaces the content
  std::string path() const;

 private:
  int descriptor_;
};

/// `bytes` compressed by gzip, one member for every `piece` bytes.
std::string gzip(std::string_view bytes, std::size_t piece);

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace recombine::fuzz
