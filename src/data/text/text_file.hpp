#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/file_descriptor.hpp"
#include "src/data/data_budget.hpp"
#include "src/data/unpack/unpacked_file.hpp"

namespace recombine {

/// The text of a table, which threads read from any place on. It is the file itself. If the file is compressed (gzip,
/// xz, zstd), UTF-16 or standard input, its text is copied to a temporary file without a name.
class TextFile {
 public:
  /// @param path  "-": standard input  @throws InputError that names the file and what is expected
  TextFile(const std::string& path, const DataBudget& budget);

  const std::string& name() const { return name_; }  ///< for messages
  std::int64_t bytes() const { return bytes_; }
  /// Reads from `offset` on, and returns the number of bytes: less than to.size() only at the end of the text. Any
  /// thread may call it. @throws Error
  std::size_t read(std::int64_t offset, std::span<char> to) const;
  /// What a user should know, such as "x.csv: is UTF-16".
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void copy(UnpackedFile& source, std::vector<char> first);
  void append(std::string_view text);

  std::string name_;
  std::int64_t bytes_ = 0;
  FileDescriptor file_;
  std::vector<std::string> notes_;
};

}  // namespace recombine
