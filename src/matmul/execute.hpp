#pragma once

#include "distributed/matmul/stream.hpp"
#include "src/matmul/problem.hpp"
#include "src/report/matmul_report.hpp"

namespace recombine {

/// A product on its way: what it is, what it runs on, and where C goes.
struct MatmulJob {
  const MatmulCommand& command;
  const MatmulProblem& problem;
  const Plan& plan;
  RankContext& context;
  Communicator& world;
  NpyWriter* out = nullptr;  ///< null: C is not written
};

/// All ranks arrive; the largest of their figures.
MatmulTimes slowest(const MatmulJob& job, Stream& stream, const MatmulTimes& times);

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

/// What verification needs to know, but for the matrices' pieces.
Verification verification_of(const MatmulJob& job);

/// By random vectors, and by plain loops where that is small. @throws Error on every rank where it fails
void verify(const MatmulJob& job, Stream& stream, const Verification& what, MatmulResult& result);

/// With all operands in memory. @throws Error when --verify finds the result wrong
MatmulResult multiply_in_memory(const MatmulJob& job);

/// Within --memory-limit: panels stream from the operands' sources through `tiles`, C goes to the writer.
MatmulResult multiply_streaming(const MatmulJob& job, const Tiles& tiles);

}  // namespace recombine
