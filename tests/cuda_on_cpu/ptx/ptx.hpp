#pragma once

// The functions that translated kernels use.
#include "tests/cuda_on_cpu/ptx/arithmetic.hpp"
#include "tests/cuda_on_cpu/ptx/logic.hpp"
#include "tests/cuda_on_cpu/ptx/memory.hpp"
#include "tests/cuda_on_cpu/ptx/values.hpp"
#include "tests/cuda_on_cpu/ptx/warp.hpp"
