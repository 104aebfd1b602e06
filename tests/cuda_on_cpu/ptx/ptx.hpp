#pragma once

// What translated kernels are written in.
#include "tests/cuda_on_cpu/ptx/arithmetic.hpp"
#include "tests/cuda_on_cpu/ptx/logic.hpp"
#include "tests/cuda_on_cpu/ptx/memory.hpp"
#include "tests/cuda_on_cpu/ptx/values.hpp"
#include "tests/cuda_on_cpu/ptx/warp.hpp"
