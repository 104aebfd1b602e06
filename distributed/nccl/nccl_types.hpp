#pragma once

#include <nccl.h>

#include "distributed/communicator.hpp"
#include "kernels/error.hpp"

namespace recombine::nccl {

inline ncclDataType_t type_of(DataType type) {
  switch (type) {
    case DataType::f32: return ncclFloat32;
    case DataType::f64: return ncclFloat64;
    case DataType::bf16: return ncclBfloat16;
    case DataType::i64: return ncclInt64;
    case DataType::i32: return ncclInt32;
    case DataType::u8: return ncclUint8;
  }
  throw Error("NCCL has no such data type");
}

inline ncclRedOp_t op_of(Reduction reduction) { return reduction == Reduction::sum ? ncclSum : ncclMax; }

}  // namespace recombine::nccl
