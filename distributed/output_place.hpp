#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "distributed/file_descriptor.hpp"

namespace recombine {

/// Where a finished file will go, as it is before the work: nothing is there, or a plain file that is to be replaced.
struct OutputPlace {
  std::string path;
  std::optional<mode_t> mode;   ///< permissions of a file of this user's own, which its successor keeps
  mode_t narrowest = 0666;      ///< permissions beyond which the new file has none
  std::string not_replaceable;  ///< why rename() cannot replace the file, such as "is a mount point"; "": it can
  FileDescriptor in_place;      ///< then this is the file, open for writing

  /// @throws InputError, which begins with `name`, unless a file can be made or replaced there
  static OutputPlace inspect(std::string_view name, const std::string& path);
};

/// What is wrong and expected, after open() for writing has failed with `reason`.
std::string cannot_write(int reason);

}  // namespace recombine
