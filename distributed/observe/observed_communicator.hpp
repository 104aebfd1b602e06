#pragma once

#include "distributed/communicator.hpp"
#include "distributed/observe/journal.hpp"

namespace recombine {

/// The communicator `group` along `axis`, whose collectives are written into the journal: name, bytes, when they were
/// enqueued, and on a CPU when they began and ended. Profilers of a GPU see ranges of the same names. A split() of it is
/// not observed. @param journal  lives longer than the streams that are used with it
std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> group, Journal& journal, Axis axis);

}  // namespace recombine
