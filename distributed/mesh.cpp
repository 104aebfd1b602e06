#include "distributed/mesh.hpp"

#include <algorithm>
#include <charconv>

#include "kernels/error.hpp"

namespace recombine {

Range split_range(std::int64_t extent, std::int64_t parts, std::int64_t index) {
  const std::int64_t small = extent / parts;
  const std::int64_t larger = extent % parts;  // the number of parts with one more element
  const std::int64_t begin = index * small + std::min(index, larger);
  return {begin, begin + small + (index < larger ? 1 : 0)};
}

Range split_range(std::int64_t extent, std::int64_t parts, std::int64_t index, std::int64_t unit) {
  if (extent / parts < unit) return split_range(extent, parts, index);
  const auto boundary = [&](std::int64_t at) {
    return at == parts ? extent : (split_range(extent, parts, at).begin + unit / 2) / unit * unit;
  };
  return {boundary(index), boundary(index + 1)};
}

Mesh::Mesh(int i, int j, int k) : extent_{i, j, k} {
  require(i >= 1 && j >= 1 && k >= 1, "mesh {}x{}x{}: expected extents >= 1", i, j, k);
}

Mesh Mesh::parse(const std::string& text) {
  std::array<int, 3> extent{};
  const char* at = text.data();
  const char* const end = at + text.size();
  bool ok = true;
  for (std::size_t axis = 0; axis < extent.size() && ok; ++axis) {
    const auto [next, error] = std::from_chars(at, end, extent[axis]);
    ok = error == std::errc{} && extent[axis] >= 1 && (axis == 2 ? next == end : next != end && *next == 'x');
    at = ok && axis < 2 ? next + 1 : next;
  }
  int plane = 0;  // the product must fit an int, like size()
  int ranks = 0;
  ok = ok && !__builtin_mul_overflow(extent[0], extent[1], &plane) && !__builtin_mul_overflow(plane, extent[2], &ranks);
  require_input(ok, "mesh '{}': expected three whole numbers >= 1 such as 2x1x2, with fewer than 2^31 ranks", text);
  return {extent[0], extent[1], extent[2]};
}

Coord Mesh::coord_of(int rank) const {
  return {{rank / (extent_[1] * extent_[2]), rank / extent_[2] % extent_[1], rank % extent_[2]}};
}

int Mesh::rank_of(const Coord& coord) const {
  return (coord.at[0] * extent_[1] + coord.at[1]) * extent_[2] + coord.at[2];
}

std::string Mesh::to_string() const { return fmt::format("{}x{}x{}", extent_[0], extent_[1], extent_[2]); }

}  // namespace recombine
