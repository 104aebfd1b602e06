#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "distributed/communicator.hpp"
#include "kernels/types.hpp"

namespace recombine::test {

/// One piece of an exchange. Every rank of the group has the whole plan.
struct PlannedPiece {
  int from = 0;
  int to = 0;
  int index = 0;  ///< among the pieces of this pair of ranks
  std::int64_t size = 0;
  DataType type = DataType::f32;

  std::int64_t bytes() const { return size * size_of(type); }
  std::byte byte(std::int64_t i) const {
    return static_cast<std::byte>((i * 37 + i / 251 + from * 5 + to * 11 + index * 101 + 1) % 256);
  }
};

/// lengths(from, to): elements of each piece that `from` sends to `to`. Their types are f32, bf16 and f64 in turn.
inline std::vector<PlannedPiece> plan_exchange(int ranks,
                                               const std::function<std::vector<std::int64_t>(int, int)>& lengths) {
  static constexpr DataType kTypes[] = {DataType::f32, DataType::bf16, DataType::f64};
  std::vector<PlannedPiece> plan;
  for (int from = 0; from < ranks; ++from) {
    for (int to = 0; to < ranks; ++to) {
      int index = 0;
      for (const std::int64_t size : lengths(from, to)) {
        plan.push_back({from, to, index, size, kTypes[index % 3]});
        ++index;
      }
    }
  }
  return plan;
}

}  // namespace recombine::test
