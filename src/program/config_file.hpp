#pragma once

#include <string>

#include "src/program/command_line.hpp"

namespace recombine {

/// The options that the file at `path` sets, one `name = value` per line. # begins a comment; a value may be in
/// quotation marks; the value of a flag is true or false (or yes, no, on, off, 1, 0).
/// @throws InputError that names the file, the line and the option
po::parsed_options read_config_file(const std::string& path, const po::options_description& options);

}  // namespace recombine
