#pragma once

#include <string>
#include <vector>

#include "distributed/matmul/schedule.hpp"

namespace recombine {

/// The blocks of A, B and C on a mesh, with names as in C11 = A11 B11 + A12 B21. At rest (kPlaceA, kPlaceB) the part of
/// k that a block has is cut once more; a piece ends at each of these cuts, of A or of B, so it belongs to one rank in
/// both. If the mesh cuts k, A and B have its blocks, and pieces have letters: A12a, A12b. If it does not, the pieces
/// are the blocks: A11, A12. Numbers begin at 1.
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

  /// "A12": the operand's block of the rank at `at`; "A12b A12c" if `range` is only a part of it.
  /// @pre `range` consists of pieces
  std::string operand(Operand operand, const Coord& at, Range range) const;
  std::string c(const Coord& at) const;  ///< "C12": the block of C that the rank at `at` computes
  /// "A11 B11 + A12 B21": the product of the rank at `at` over `range` of k. "0" if the range is empty.
  /// @pre `range` consists of pieces
  std::string term(const Coord& at, Range range) const;
  /// Into how many blocks the matrices are cut, and what letters mean.
  std::string cuts() const;
  /// All blocks with the ranks that have them: "A11:0 A12:1". "-": a block without elements.
  std::string owners() const;

 private:
  struct Piece {
    int number = 1;      ///< along k, of a block
    std::string letter;  ///< of a part of this block; "": the whole block
    Range k;
  };
  Range k_part(int part) const;
  std::vector<Piece> all_pieces(int part) const;
  std::vector<Piece> pieces(int part, Range range) const;
  std::string name(Operand operand, const Coord& at, const Piece& piece) const;
  std::string owner(Operand operand, Coord at, const Piece& piece) const;

  Mesh mesh_;
  MatmulShape shape_;
};

}  // namespace recombine
