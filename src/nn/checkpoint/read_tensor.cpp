#include "src/nn/checkpoint/read_tensor.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "kernels/error.hpp"

namespace recombine {

void require_f32(const SafetensorsFile& file, const std::string& name) {
  const StoredTensor& tensor = file.tensors().at(name);
  require_whole(tensor.type == "F32", "{}: tensor {} has type {}; expected F32", file.name(), name, tensor.type);
  std::int64_t bytes = size_of(DataType::f32);
  bool fits = true;
  for (const std::int64_t extent : tensor.shape) fits = fits && !__builtin_mul_overflow(bytes, extent, &bytes);
  require_whole(fits && bytes == tensor.end - tensor.begin, "{}: tensor {} has {} bytes; expected those of its shape",
                file.name(), name, tensor.end - tensor.begin);
}

void require_shape(const SafetensorsFile& file, const std::string& name, const ParameterTensor& expected) {
  const auto found = file.tensors().find(name);
  require_input(found != file.tensors().end(), "{}: has no tensor {}", file.name(), name);
  const StoredTensor& stored = found->second;
  require_input(stored.shape == expected.shape, "{}: tensor {} has shape [{}]; expected [{}], as the network has",
                file.name(), name, fmt::join(stored.shape, ","), fmt::join(expected.shape, ","));
  require_input(stored.type == "F32", "{}: tensor {} has type {}; expected F32", file.name(), name, stored.type);
  const std::int64_t bytes = expected.size() * size_of(DataType::f32);
  require_input(stored.end - stored.begin == bytes, "{}: tensor {} has {} bytes; expected {}", file.name(), name,
                stored.end - stored.begin, bytes);
}

void read_tensor(RankContext& context, const SafetensorsFile& file, const std::string& name, const DistMatrix& to) {
  const std::int64_t begin = file.tensors().at(name).begin;
  const std::int64_t cols = to.cols();
  std::vector<float> values;
  for (const Block& block : to.blocks()) {
    const std::int64_t width = block.cols.size();
    values.resize(static_cast<std::size_t>(block.rows.size() * width));
    const std::int64_t run = width == cols ? block.rows.size() : 1;  // rows that lie together in the file
    for (std::int64_t row = block.rows.begin; row < block.rows.end && width > 0; row += run) {
      file.read(begin + (row * cols + block.cols.begin) * size_of(DataType::f32),
                values.data() + (row - block.rows.begin) * width, run * width * size_of(DataType::f32));
    }
    const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
    require_input(
        bad == values.end(), "{}: tensor {} has {} at element {}; expected finite numbers", file.name(), name,
        bad != values.end() ? *bad : 0,
        (block.rows.begin + (bad - values.begin()) / width) * cols + block.cols.begin + (bad - values.begin()) % width);
    context.device().copy(context.compute(), as_vector(block.view),
                          vector_view(std::as_const(values).data(), std::ssize(values)));
  }
}

}  // namespace recombine
