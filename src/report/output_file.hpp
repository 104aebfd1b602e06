#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "distributed/io/temporary_file.hpp"

namespace recombine {

/// A file that an option names; "": none.
struct NamedFile {
  std::string option;
  std::string path;
};

/// @throws InputError where an output is the same file as another output or as an input
void require_apart(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs);

/// A file that appears completely or not at all: it is written under a temporary name in the same folder, then renamed.
class OutputFile {
 public:
  /// @throws InputError naming `option` when nothing can be written there
  OutputFile(const std::string& option, const std::string& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// TemporaryFile::note: what a user should know before the run. "": nothing
  std::string note() const { return temporary_.note(); }
  void reserve(std::int64_t bytes) { temporary_.reserve(bytes); }  ///< @throws InputError unless they have room
  void write(std::string_view bytes);                              ///< @throws Error, such as for a full disk
  void flush();                                               ///< what was written can be read by others. @throws Error
  void require_there() const { temporary_.require_there(); }  ///< @throws Error if it was removed meanwhile
  void publish();  ///< to its name already, for a file that is followed as it grows. @throws Error
  void commit();   ///< to the disk, then to its name. @throws Error
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  TemporaryFile temporary_;
  std::string buffer_;
};

}  // namespace recombine
