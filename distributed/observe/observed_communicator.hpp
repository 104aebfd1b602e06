#pragma once

#include "distributed/communicator.hpp"
#include "distributed/observe/journal.hpp"

namespace recombine {

/// Wraps the communicator `group` along `axis` and writes its collectives into the journal: name, bytes, the time of
/// enqueueing, and on a CPU the times of begin and end. GPU profilers see ranges with the same names. The result of
/// split() is not observed. @param journal  must outlive the streams that are used with the communicator
std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> group, Journal& journal, Axis axis);

}  // namespace recombine
