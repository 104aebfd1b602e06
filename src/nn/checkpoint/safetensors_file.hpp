#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "kernels/file_descriptor.hpp"
#include "src/nn/checkpoint/safetensors_header.hpp"

namespace recombine {

/// A safetensors file that is open for reading: the length of the header (8 bytes, little-endian), the header in JSON,
/// the tensors' bytes. Its header is checked; nothing of the size that a header announces is allocated before.
class SafetensorsFile {
 public:
  /// @param option  that names the file, for messages: "load"
  /// @throws InputError that begins with "--OPTION PATH": DamagedFile, if the file is no safetensors file, or was cut
  /// short; another one, if it cannot be opened
  SafetensorsFile(const std::string& option, const std::string& path);

  const std::string& name() const { return name_; }  ///< "--load PATH"
  const std::map<std::string, StoredTensor>& tensors() const { return header_.tensors; }
  const Metadata& metadata() const { return header_.metadata; }
  const std::string& header_text() const { return header_text_; }  ///< the JSON text

  /// Reads bytes [begin, begin + size) of the tensors. @throws DamagedFile if the file ends before, or the disk fails
  void read(std::int64_t begin, void* to, std::int64_t size) const { read_at(data_ + begin, to, size); }

 private:
  void read_at(std::int64_t offset, void* to, std::int64_t size) const;
  void read_header();

  std::string name_;
  FileDescriptor file_;
  std::int64_t size_ = 0;  ///< bytes of the file
  std::int64_t data_ = 0;  ///< where the tensors begin
  std::string header_text_;
  SafetensorsHeader header_;
};

}  // namespace recombine
