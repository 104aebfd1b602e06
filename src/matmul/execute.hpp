#pragma once

#include "distributed/matmul/stream.hpp"
#include "src/matmul/problem.hpp"
#include "src/report/matmul_report.hpp"

namespace recombine {

/// The inputs of a product's execution.
struct MatmulJob {
  const MatmulCommand& command;
  const MatmulProblem& problem;
  const Plan& plan;
  RankContext& context;
  Communicator& world;
  NpyWriter* out = nullptr;  ///< null: C is not written
};

/// The times of all ranks together: see over_ranks(). A barrier, too: every rank calls it.
MatmulTimes times_of_all(const MatmulJob& job, Stream& stream, const MatmulTimes& times);

/// Rounds the elements of an f32 matrix to bf16; they stay f32.
void round_to_bf16(RankContext& context, Workspace& scratch, MatrixView c);

/// A function that reads rectangles of a matrix, or of its transpose, from `source`.
StreamedMatmul::Read read_from(RankContext& context, const MatrixSource& source, Transpose transpose);

/// How to read a matrix that is not in memory, and the type to convert it to.
struct BandReader {
  RankContext& context;
  Stream& io;
  DataType type;
  const StreamedMatmul::Read& read;
};
/// Passes the rectangle rows x cols to `visit`, band by band.
void visit_bands(const BandReader& reader, Range rows, Range cols, const Visitor& visit);

/// The fields of a Verification, without the pieces of the matrices.
Verification verification_of(const MatmulJob& job);

/// Checks the result by random vectors, and by plain loops if it is small.
/// @throws AgreedError on every rank if the result is wrong
void verify(const MatmulJob& job, Stream& stream, const Verification& what, MatmulResult& result);

/// Multiplies with all operands in memory. @throws AgreedError if --verify finds the result wrong
MatmulResult multiply_in_memory(const MatmulJob& job);

/// Multiplies within --memory-limit: panels of the operands are read from their sources while tiles of C are computed;
/// each finished tile is written to job.out. @throws AgreedError if --verify finds the result wrong
MatmulResult multiply_streaming(const MatmulJob& job, const Tiles& tiles);

}  // namespace recombine
