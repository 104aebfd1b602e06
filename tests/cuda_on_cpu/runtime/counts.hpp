#pragma once

#include "tests/support/cuda_counts.hpp"

namespace emulated {

using recombine::test::CudaCounts;

/// Adds one to a count of the process, for example count(&CudaCounts::graph_launches).
void count(std::int64_t CudaCounts::*which);

}  // namespace emulated
