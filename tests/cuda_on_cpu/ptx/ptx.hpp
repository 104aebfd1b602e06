#pragma once

// What translated kernels are written in.
#include "ptx/arithmetic.hpp"
#include "ptx/logic.hpp"
#include "ptx/memory.hpp"
#include "ptx/values.hpp"
#include "ptx/warp.hpp"
