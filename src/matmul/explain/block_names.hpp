#pragma once

#include <string>

#include "distributed/matmul/schedule.hpp"

namespace recombine {

/// The blocks of A, B and C on a mesh, with names as in C11 = A11 B11 + A12 B21. The operands are cut as they are at
/// rest (kPlaceA, kPlaceB), so each of their blocks belongs to one rank. All numbers in names begin at 1.
class BlockNames {
 public:
  /// Each operand travels along one axis of the mesh: A along j, B along i.
  enum class Operand { a, b };
  static Operand operand_along(Axis axis) { return axis == Axis::j ? Operand::a : Operand::b; }

  BlockNames(const Mesh& mesh, const MatmulShape& shape) : mesh_(mesh), shape_(shape) {}

  const Mesh& mesh() const { return mesh_; }
  const MatmulShape& shape() const { return shape_; }
  /// The rows and columns of C that the rank at `at` computes.
  Area c_area(const Coord& at) const;
  /// The range of k in the operand's block that the rank at `at` has at rest.
  Range k_range(Operand operand, const Coord& at) const;
  /// Bytes of k `range` of an operand, in the row or column of blocks of the rank at `at`.
  std::int64_t bytes(Operand operand, const Coord& at, Range range) const;

  /// "A12": the operand's block of the rank at `at`; "A12[k 3]" if `range` is only a part of it.
  std::string operand(Operand operand, const Coord& at, Range range) const;
  std::string c(const Coord& at) const;  ///< "C12": the block of C that the rank at `at` computes
  /// "A11 B11 + A12 B21": the product of the rank at `at` over `range` of k. If blocks of A and B end at different k:
  /// "A11 (B11 B21)", a block times the blocks in brackets together. "0" if the range is empty.
  std::string term(const Coord& at, Range range) const;
  /// All blocks with the ranks that have them: "A11:0 A12:1". "-": a block without elements.
  std::string owners() const;

 private:
  struct Piece {
    std::string name;
    Range k;
  };
  std::vector<Piece> pieces(Operand operand, const Coord& at, Range range) const;

  Mesh mesh_;
  MatmulShape shape_;
};

}  // namespace recombine
