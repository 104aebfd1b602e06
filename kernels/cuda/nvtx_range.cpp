#include <nvtx3/nvToolsExt.h>

#include "kernels/trace_range.hpp"

namespace recombine {

TraceRange::TraceRange(const char* name) { nvtxRangePushA(name); }
TraceRange::~TraceRange() { nvtxRangePop(); }

}  // namespace recombine
