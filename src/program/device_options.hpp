#pragma once

#include "src/program/command_line.hpp"
#include "src/program/rank_device.hpp"

namespace recombine {

/// --device, --collectives, --threads and --bind.
void add_device_options(po::options_description& group);
/// @throws InputError
DeviceCommand read_device(const OptionReader& reader);

}  // namespace recombine
