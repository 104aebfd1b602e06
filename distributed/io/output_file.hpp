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

/// @throws InputError if an output is the same file as another output or as an input
void require_apart(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs);

/// A file that appears completely or not at all: it is written under a temporary name in the same folder, then renamed.
class OutputFile {
 public:
  /// @throws InputError that names `option`, if no file can be written at `path`
  OutputFile(const std::string& option, const std::string& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// TemporaryFile::note: what a user should know before the run. "": nothing
  std::string note() const { return temporary_.note(); }
  void reserve(std::int64_t bytes) { temporary_.reserve(bytes); }  ///< @throws InputError if the disk is full
  void write(std::string_view bytes);                              ///< @throws Error, such as for a full disk
  void flush();                                                    ///< to the file, for other readers. @throws Error
  void require_there() const { temporary_.require_there(); }       ///< @throws Error if the file was removed
  void publish();  ///< names the file now: users can follow it as it grows. @throws Error
  void commit();   ///< writes the file to disk, then names it. @throws Error

 private:
  TemporaryFile temporary_;
  std::string buffer_;
};

}  // namespace recombine
