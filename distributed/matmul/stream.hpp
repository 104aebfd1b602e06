#pragma once

#include <functional>

#include "distributed/matmul/schedule.hpp"

namespace recombine {

/// How a rank cuts its work to fit its memory: into tiles of C [rows, cols], each computed from panels of A^T and B
/// with `panel` rows of k.
struct Tiles {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t panel = 0;

  /// One tile of C, and two panels of each operand: one is multiplied while the other is read.
  double bytes(const MatmulShape& shape) const;
};

/// The smallest tiles with which products are still fast.
Tiles smallest_tiles(const MatmulShape& shape, const Mesh& mesh);

/// Tiles within `memory_bytes` for which few bytes are read: A is read once for each column of tiles, B once for each
/// row. @throws InputError if smallest_tiles() does not fit
Tiles choose_tiles(const MatmulShape& shape, const Mesh& mesh, double memory_bytes);

/// Bytes of operands that one rank reads.
double bytes_read(const MatmulShape& shape, const Mesh& mesh, const Tiles& tiles);

/// C = alpha A B + beta C0 for matrices larger than memory: operands stay in their files, panels pass through memory.
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
  Read c0;                                     ///< rows and columns of C; only if beta != 0
  std::function<void(MatrixView tile)> round;  ///< applied to finished tiles; empty: none
  Write write;
};

/// Multiplies. Returns the seconds that arithmetic waited for reads and writes; RankContext counts the waits for sums.
double multiply_streamed(RankContext& context, const StreamedMatmul& call);

}  // namespace recombine
