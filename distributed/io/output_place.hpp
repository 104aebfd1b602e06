#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "kernels/file_descriptor.hpp"

namespace recombine {

/// The path that a finished file will get, as found before the run: free, or the path of a regular file to replace.
struct OutputPlace {
  std::string path;
  std::optional<mode_t> mode;   ///< permissions of the old file, if this user owns it; the new file gets them too
  mode_t narrowest = 0666;      ///< the new file never has permissions beyond these
  std::string not_replaceable;  ///< why rename() cannot replace the file, such as "is a mount point"; "": it can
  FileDescriptor in_place;      ///< if rename() cannot replace the file: the file, open for writing

  /// @throws InputError, which begins with `name`, if no file can be made or replaced at `path`
  static OutputPlace inspect(std::string_view name, const std::string& path);
};

/// The text for an open() of `path` for writing that failed with errno `reason`: what is wrong, and what is expected.
std::string cannot_write(int reason, const std::string& path);

}  // namespace recombine
