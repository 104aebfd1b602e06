#include "src/matmul/explain/worked_example.hpp"

#include <array>

#include "kernels/error.hpp"

namespace recombine {

namespace {

constexpr std::size_t kExtent = 4;
using Table = std::array<std::array<int, kExtent>, kExtent>;
constexpr std::array<Table, 2> kExamples = {{{{{1, 2, 3, 4}, {0, 1, 0, 2}, {2, 0, 1, 1}, {1, 1, 2, 0}}},
                                             {{{1, 0, 2, 1}, {3, 1, 0, 2}, {0, 2, 1, 1}, {2, 1, 1, 0}}}}};

}  // namespace

std::vector<double> worked_example(std::uint64_t tensor, DistMatrix::Shape shape) {
  require(tensor < kExamples.size(), "tensor {} has no example; expected 0 or 1", tensor);
  std::vector<double> values;
  for (std::size_t r = 0; r < static_cast<std::size_t>(shape.rows); ++r) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(shape.cols); ++c) {
      values.push_back(r < kExtent && c < kExtent ? kExamples[tensor][r][c] : static_cast<int>((7 * r + 3 * c) % 5));
    }
  }
  return values;
}

}  // namespace recombine
