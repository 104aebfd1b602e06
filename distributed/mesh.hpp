#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace recombine {

/// The three axes of the mesh: C_ij = sum over k of A_ik * B_kj.
enum class Axis { i, j, k };

inline constexpr std::array<Axis, 3> kAxes = {Axis::i, Axis::j, Axis::k};

constexpr char name_of(Axis axis) { return "ijk"[static_cast<int>(axis)]; }

/// Half-open range of row, column or element numbers.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

/// What two ranges have in common; its size is negative or 0 if that is nothing.
constexpr Range overlap(Range a, Range b) {
  return {a.begin < b.begin ? b.begin : a.begin, a.end < b.end ? a.end : b.end};
}

/// Part `index` of `extent` things cut into `parts`: sizes differ by at most one, larger ones first.
/// @pre 0 <= index < parts
Range split_range(std::int64_t extent, std::int64_t parts, std::int64_t index);

/// Where a rank stands in the mesh, per axis.
struct Coord {
  std::array<int, 3> at{};
  int operator[](Axis axis) const { return at[static_cast<std::size_t>(axis)]; }
  bool operator==(const Coord&) const = default;
};

/// How ranks are arranged, and which of them owns which part of what is cut along an axis. A value; ranks are
/// numbered with k fastest: rank = (i * J + j) * K + k.
class Mesh {
 public:
  /// @pre all extents >= 1
  Mesh(int i, int j, int k);
  /// "2x1x2". @throws InputError
  static Mesh parse(const std::string& text);

  int extent(Axis axis) const { return extent_[static_cast<std::size_t>(axis)]; }
  int size() const { return extent_[0] * extent_[1] * extent_[2]; }
  Coord coord_of(int rank) const;
  int rank_of(const Coord& coord) const;

  /// Parts that things are cut into along `axis`, and the coordinate that owns a part. One part per rank here;
  /// nothing else in the project may assume it.
  int parts(Axis axis) const { return extent(axis); }
  int owner(Axis, int part) const { return part; }

  std::string to_string() const;
  bool operator==(const Mesh&) const = default;

 private:
  std::array<int, 3> extent_;
};

}  // namespace recombine
