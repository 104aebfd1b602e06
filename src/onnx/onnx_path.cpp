#include <algorithm>
#include <cctype>
#include <string_view>

#include "kernels/error.hpp"
#include "src/onnx/write_onnx.hpp"

namespace recombine {

bool is_onnx(const std::string& path) {
  static constexpr std::string_view kEnding = ".onnx";
  std::string ending = path.substr(path.size() - std::min(path.size(), kEnding.size()));
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == kEnding;
}

void refuse_onnx(const std::string& option, const std::string& path) {
  require_input(!is_onnx(path),
                "--{} {}: an ONNX file is for other programs; expected a safetensors file, as --save FILE.safetensors "
                "writes it",
                option, path);
}

}  // namespace recombine
