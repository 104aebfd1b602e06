// In place of write_onnx.cpp in builds without ONNX's library.

#include "kernels/error.hpp"
#include "src/onnx/write_onnx.hpp"

namespace recombine {

void write_onnx(RankContext&, Communicator&, const Model&, const TableSchema&, OutputFile*) {
  throw Error("this build cannot write ONNX files");
}

std::int64_t onnx_bytes(const Model&, const TableSchema&) {
  throw InputError(
      "--save: this build cannot write ONNX files, because CMake did not find ONNX; expected FILE.safetensors, or a "
      "build with ONNX");
}

}  // namespace recombine
