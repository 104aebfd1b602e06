#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/file_descriptor.hpp"

namespace recombine {

/// A tensor of the file.
struct StoredTensor {
  std::string type;
  std::vector<std::int64_t> shape;
  std::int64_t begin = 0, end = 0;  ///< its bytes, after the header
};

/// A safetensors file that is open for reading: the length of the header (8 bytes, little-endian), the header in JSON,
/// the tensors' bytes. Its header is checked; nothing of the size that a header announces is allocated before.
class SafetensorsFile {
 public:
  /// @param option  that names the file, for messages: "load"
  /// @throws InputError that begins with "--OPTION PATH", if the file is no safetensors file, or was cut short
  SafetensorsFile(const std::string& option, const std::string& path);

  const std::string& name() const { return name_; }  ///< "--load PATH"
  const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }

  /// Reads bytes [begin, begin + size) of the tensors. @throws InputError if the file ends before
  void read(std::int64_t begin, void* to, std::int64_t size) const { read_at(data_ + begin, to, size); }

 private:
  void read_at(std::int64_t offset, void* to, std::int64_t size) const;
  void read_header();
  void require_covered() const;

  std::string name_;
  FileDescriptor file_;
  std::int64_t size_ = 0;  ///< bytes of the file
  std::int64_t data_ = 0;  ///< where the tensors begin
  std::map<std::string, StoredTensor> tensors_;
};

}  // namespace recombine
