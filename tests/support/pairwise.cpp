#include "tests/support/pairwise.hpp"

namespace recombine::test {

std::vector<std::vector<std::size_t>> pairwise_table(const std::vector<std::size_t>& sizes) {
  const std::size_t dimensions = sizes.size();
  const auto key = [&](std::size_t d, std::size_t v, std::size_t e, std::size_t w) {
    return ((d * 64 + v) * dimensions + e) * 64 + w;
  };
  std::vector<bool> covered(dimensions * 64 * dimensions * 64);
  std::vector<std::vector<std::size_t>> rows;
  const auto gain = [&](const std::vector<std::size_t>& row, const std::vector<bool>& set, std::size_t d,
                        std::size_t v) {
    int sum = 0;
    for (std::size_t e = 0; e < dimensions; ++e) {
      if (e != d && set[e] && !covered[key(d, v, e, row[e])]) ++sum;
    }
    return sum;
  };
  for (std::size_t d = 0; d < dimensions; ++d) {
    for (std::size_t e = d + 1; e < dimensions; ++e) {
      for (std::size_t v = 0; v < sizes[d]; ++v) {
        for (std::size_t w = 0; w < sizes[e]; ++w) {
          if (covered[key(d, v, e, w)]) continue;
          std::vector<std::size_t> row(dimensions);
          std::vector<bool> set(dimensions);
          row[d] = v, row[e] = w, set[d] = set[e] = true;
          for (std::size_t f = 0; f < dimensions; ++f) {
            if (set[f]) continue;
            for (std::size_t x = 1; x < sizes[f]; ++x) {
              if (gain(row, set, f, x) > gain(row, set, f, row[f])) row[f] = x;
            }
            set[f] = true;
          }
          for (std::size_t f = 0; f < dimensions; ++f) {
            for (std::size_t g = 0; g < dimensions; ++g) covered[key(f, row[f], g, row[g])] = true;
          }
          rows.push_back(row);
        }
      }
    }
  }
  return rows;
}

}  // namespace recombine::test
