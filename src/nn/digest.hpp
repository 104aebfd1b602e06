#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace recombine {

/// SHA-256 of bytes that are added in pieces.
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(const void* bytes, std::size_t size);
  std::string finish();  ///< in hexadecimal; nothing may be added after it

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace recombine
