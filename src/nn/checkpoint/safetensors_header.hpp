#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kernels/error.hpp"

namespace recombine {

/// Thrown if a file was changed or cut short after it was written, or has another format.
class DamagedFile : public InputError {
 public:
  using InputError::InputError;
};

/// Throws DamagedFile unless `ok`.
template <class... Args>
void require_whole(bool ok, fmt::format_string<Args...> text, Args&&... args) {
  if (!ok) throw DamagedFile(fmt::format(text, std::forward<Args>(args)...));
}

/// A tensor of a safetensors file.
struct StoredTensor {
  std::string type;  ///< "F32"
  std::vector<std::int64_t> shape;
  std::int64_t begin = 0, end = 0;  ///< its bytes, after the header
};

struct NamedTensor {
  std::string name;
  StoredTensor stored;
};

/// An entry of a header's __metadata__.
struct MetadataEntry {
  std::string key, value;
};
using Metadata = std::vector<MetadataEntry>;  ///< in the order of the file

/// What comes before the tensors' bytes in a safetensors file: the length of the JSON text (8 bytes, little-endian),
/// then the JSON text. Spaces at its end make the size of both a multiple of `multiple`, which is a multiple of 8.
/// @pre all text is UTF-8
std::string safetensors_header(const Metadata& metadata, const std::vector<NamedTensor>& tensors,
                               std::int64_t multiple = 8);

struct SafetensorsHeader {
  Metadata metadata;
  std::map<std::string, StoredTensor> tensors;
};

/// Reads the JSON text of a header. The tensors must cover the data without gaps and overlaps. Their names and types
/// have no control characters. Memory is at most a multiple of the text's size.
/// @param name  of the file, with which messages begin  @param data_bytes  of the file, after the header
/// @throws DamagedFile
SafetensorsHeader parse_safetensors_header(const std::string& name, const std::string& text, std::int64_t data_bytes);

}  // namespace recombine
