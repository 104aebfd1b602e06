#pragma once

#include <functional>

#include "distributed/owned_matrix.hpp"

namespace recombine::test {

/// Element (i, j) of a whole matrix.
using Elements = std::function<double(std::int64_t i, std::int64_t j)>;

/// A rank's part of an f32 matrix, with memory that the host can reach too (make_test_device()).
class HeldMatrix : public OwnedMatrix {
 public:
  HeldMatrix(const RankContext& context, Shape shape, const Placement& placement)
      : OwnedMatrix(context, shape, placement) {}

  /// Sets all elements of this rank's blocks.
  void fill(const Elements& elements) {
    for_each([&](const Block&, std::int64_t i, std::int64_t j, float& x) { x = static_cast<float>(elements(i, j)); });
  }
  /// Number of elements that differ, among the rows that `rows_of(block)` gives, counted from the block's first row.
  std::int64_t differing(const Elements& expected, const std::function<Range(const Block&)>& rows_of) const {
    std::int64_t count = 0;
    for_each([&](const Block& block, std::int64_t i, std::int64_t j, const float& x) {
      const Range rows = rows_of(block);
      const std::int64_t row = i - block.rows.begin;
      if (row >= rows.begin && row < rows.end && x != static_cast<float>(expected(i, j))) ++count;
    });
    return count;
  }
  std::int64_t differing(const Elements& expected) const {
    return differing(expected, [](const Block& block) { return Range{0, block.rows.size()}; });
  }

 private:
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const Block& block : blocks()) {
      for (std::int64_t i = block.rows.begin; i < block.rows.end; ++i) {
        for (std::int64_t j = block.cols.begin; j < block.cols.end; ++j) {
          visit(block, i, j, block.view.as<float>()[(i - block.rows.begin) * block.view.ld + j - block.cols.begin]);
        }
      }
    }
  }
};

}  // namespace recombine::test
