#pragma once

#include "distributed/owned_matrix.hpp"
#include "src/matmul/execute.hpp"

namespace recombine {

/// The operands and C of a rank, in its memory.
class LocalMatrices {
 public:
  /// Every rank calls it. `job` must outlive the matrices.
  explicit LocalMatrices(const MatmulJob& job);
  OwnedMatrix a, b, c;  ///< A^T, B and C, placed as kPlaceA, kPlaceB and kPlaceC

  /// Reads A^T and B. Blocks until they are in memory, as the next two functions do.
  void load_operands(Stream& io);
  /// Reads the C that beta multiplies, if there is one.
  void load_result(Stream& io);
  /// Writes this rank's rows of C.
  void write_result(Stream& io, NpyWriter& out) const;

  /// All of a small C, [m,n], on every rank.
  std::vector<double> small_result(Communicator& world, Stream& io) const;

  /// Input of the verification: this rank's part of C from memory; A, B and C0 read or made again from their sources.
  /// So the verification also finds an operand that was read or made wrongly the first time.
  Verification verification(Stream& io) const;

 private:
  Pieces again(Stream& io, const MatrixSource& source, Transpose transpose, const DistMatrix& matrix) const;
  Range own_rows(const Block& block) const;

  const MatmulJob& job_;
};

/// One product as job.plan says: from operands at rest to a C that is recombined over k. Blocks until it is computed.
MatmulTimes multiply_once(const MatmulJob& job, LocalMatrices& matrices, Workspace& workspace);

}  // namespace recombine
