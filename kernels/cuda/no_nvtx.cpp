#include "kernels/trace_range.hpp"

namespace recombine {

TraceRange::TraceRange(const char* /*name*/) {}
TraceRange::~TraceRange() = default;

}  // namespace recombine
