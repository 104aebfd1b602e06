#pragma once

#include <functional>

#include "distributed/matmul/schedule.hpp"

namespace recombine {

/// A rank's share of the work in pieces that fit its memory: tiles of C, and the thickness of the panels that are
/// multiplied into one.
struct Tiles {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t panel = 0;

  /// One tile of C, and two panels of each operand: one is multiplied while the other is read.
  double bytes(const MatmulShape& shape) const;
};

/// The smallest with which products are still fast.
Tiles smallest_tiles(const MatmulShape& shape, const Mesh& mesh);

/// Tiles within `memory_bytes` that read as little as may be: the operands pass once for each row or column
/// of tiles.
/// @throws InputError where there is no room for smallest_tiles()
Tiles choose_tiles(const MatmulShape& shape, const Mesh& mesh, double memory_bytes);

/// Bytes of operands that one rank reads.
double bytes_read(const MatmulShape& shape, const Mesh& mesh, const Tiles& tiles);

/// C = alpha A B + beta C0, larger than memory: operands stay where they are, panels stream through.
struct StreamedMatmul {
  /// Enqueue on `io`: bring rows [k] and columns [cols] of A^T or B to host memory [k, cols].
  using Read = std::function<void(Stream& io, Range k, Range cols, MatrixView to)>;
  /// Enqueue on `io`: take rows [rows] and columns [cols] of C.
  using Write = std::function<void(Stream& io, Range rows, Range cols, ConstMatrixView from)>;

  MatmulShape shape;
  Tiles tiles;
  double alpha = 1;
  double beta = 0;
  Read a, b;
  Read c0;                                     ///< rows and columns of C; only where beta != 0
  std::function<void(MatrixView tile)> round;  ///< applied to finished tiles; empty: none
  Write write;
};

/// Seconds that arithmetic waited for reading and writing; RankContext counts those for sums.
double multiply_streamed(RankContext& context, const StreamedMatmul& call);

}  // namespace recombine
