#include "kernels/error.hpp"
#include "src/onnx/write_onnx.hpp"
#include "src/program/parse.hpp"

namespace recombine {

bool is_onnx(const std::string& path) { return in_small_letters(path).ends_with(".onnx"); }

void refuse_onnx(const std::string& option, const std::string& path) {
  require_input(!is_onnx(path),
                "--{} {}: an ONNX file is for other programs; expected a safetensors file, as --save FILE.safetensors "
                "writes it",
                option, path);
}

}  // namespace recombine
