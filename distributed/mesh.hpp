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

/// The intersection of two ranges. Its size is negative or 0 if they do not overlap.
constexpr Range overlap(Range a, Range b) {
  return {a.begin < b.begin ? b.begin : a.begin, a.end < b.end ? a.end : b.end};
}

/// Part `index` of the range [0, extent) cut into `parts` parts. Sizes differ by at most one; larger parts come first.
/// @pre 0 <= index < parts
Range split_range(std::int64_t extent, std::int64_t parts, std::int64_t index);
/// The same parts, but each boundary between two parts moves to the closest multiple of `unit`. If a part is narrower
/// than `unit`, no boundary moves.
Range split_range(std::int64_t extent, std::int64_t parts, std::int64_t index, std::int64_t unit);

/// The position of a rank in the mesh, per axis.
struct Coord {
  std::array<int, 3> at{};
  int operator[](Axis axis) const { return at[static_cast<std::size_t>(axis)]; }
  /// The position of another rank along `axis`.
  Coord with(Axis axis, int to) const {
    Coord other = *this;
    other.at[static_cast<std::size_t>(axis)] = to;
    return other;
  }
  bool operator==(const Coord&) const = default;
};

/// How ranks are arranged, and which coordinate along an axis owns which part of a cut matrix. A value type. k is the
/// fastest axis of the rank numbers: rank = (i * J + j) * K + k.
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

  /// The number of parts along `axis`, and the coordinate that owns a part. Here there is one part per rank, but no
  /// other code may assume this.
  int parts(Axis axis) const { return extent(axis); }
  int owner(Axis, int part) const { return part; }

  std::string to_string() const;
  bool operator==(const Mesh&) const = default;

 private:
  std::array<int, 3> extent_;
};

}  // namespace recombine
