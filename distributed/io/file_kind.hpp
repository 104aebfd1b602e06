#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

namespace recombine {

/// What a file with this st_mode is, for messages: "a regular file", "a folder", "a FIFO" ...
std::string_view kind_of(mode_t mode);

/// The same of the file at `path`, after links. "": stat() fails, for example because there is no file.
std::string_view kind_at(const std::string& path);

/// Refuses what is not a regular file before open(): open() of a FIFO waits until another program writes to it. Accepts
/// a path without a file: open() says why it fails.
/// @throws InputError, which begins with `name`: "--config x: is a FIFO; expected a regular file"
void require_regular(std::string_view name, const std::string& path, std::string_view expected = "a regular file");

}  // namespace recombine
