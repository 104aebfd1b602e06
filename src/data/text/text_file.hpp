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

/// The text of a table, which threads read at any place. It is the file itself; or, if that is compressed (gzip, xz,
/// zstd), UTF-16 or standard input, its text in a temporary file without a name.
class TextFile {
 public:
  /// @param path  "-": standard input  @throws InputError that names the file and what is expected
  TextFile(const std::string& path, const DataBudget& budget);

  const std::string& name() const { return name_; }  ///< for messages
  std::int64_t bytes() const { return bytes_; }
  /// Reads from `offset` on; less than to.size() bytes only at the end of the text. Any thread may call it. @throws Error
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
